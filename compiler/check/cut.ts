/** A model or module cut after a stage: `ResNet18[..pool]` ends with the stage that is labelled `pool`. */
import type {
  AxisItem,
  Body,
  CallableDeclaration,
  Expression,
  Name,
  PipelineExpression,
  Stage,
  Statement,
} from "../../grammar/ast.ts";
import { checkAlone } from "./alone.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import type { Frame } from "./frame.ts";
import { nearest } from "./names.ts";
import type { FileScope } from "./names.ts";
import type { Session } from "./session.ts";
import { kindInWords, unknown } from "./values.ts";
import type { CallableValue, CheckValue, InstanceValue } from "./values.ts";

type Brackets = Extract<Expression, { kind: "brackets" }>;

/** Weights keep the paths that they have in the whole; an instance that is cut shares them with the whole instance. */
export function evaluateCut(
  frame: Frame,
  base: CallableValue | InstanceValue,
  { base: written, items, span }: Brackets,
): CheckValue {
  const { session } = frame.elaboration;
  const name = stageName(items);
  if (name === undefined) {
    session.report(frame, unfit, {
      span,
      expected: "one label of a stage between the brackets, as in `Model[..stage]`",
      found: kindInWords(base),
      helps: [],
    });
    return unknown;
  }
  const whole = base.kind === "instance" ? base.target : base;
  if (whole.kind !== "callable" || !["module", "model"].includes(whole.declaration.kind)) {
    session.report(frame, unfit, {
      span: written.span,
      expected: "a model or a module before `[..`",
      found: kindInWords(base),
      helps: [],
    });
    return unknown;
  }
  const { declaration, scope } = whole;
  const part = cutDeclaration(session, scope, declaration, name.text);
  if (!part) {
    const labels = labelsOf(declaration.body);
    session.report(frame, unknownName, {
      span: name.span,
      name: name.text,
      what: "stage",
      where: ` in ${declaration.kind} ${declaration.name.text}`,
      near: nearest(name.text, labels),
      notes: [
        labels.length === 0
          ? `no stage of ${declaration.name.text} has a label`
          : `its labelled stages are ${labels.join(", ")}`,
      ],
    });
    return unknown;
  }
  const target: CallableValue = { ...whole, declaration: part, span };
  return base.kind === "instance" ? { ...base, target } : target;
}

function stageName(items: readonly AxisItem[]): Name | undefined {
  const [only] = items;
  return items.length === 1 && only?.kind === "pack" ? only.name : undefined;
}

const known = new WeakMap<CallableDeclaration, Map<string, CallableDeclaration>>();

/** The same object for the same cut, as a declaration is told by its identity. Undefined where no stage is so labelled. */
function cutDeclaration(
  session: Session,
  scope: FileScope,
  declaration: CallableDeclaration,
  label: string,
): CallableDeclaration | undefined {
  const cuts = known.get(declaration) ?? new Map<string, CallableDeclaration>();
  known.set(declaration, cuts);
  let part = cuts.get(label);
  if (!part) {
    const body = cutBody(declaration.body, label);
    if (!body) return undefined;
    // what the whole promises is not what a part of it gives: the body says
    part = { ...declaration, body, result: { kind: "hole", span: declaration.result.span } };
    cuts.set(label, part);
  }
  // mistakes in the stages are told of the whole, once
  session.alone.set(part, checkAlone(session, scope, declaration));
  return part;
}

/** Statements up to the stage; the pipeline that holds it becomes what the body gives. */
function cutBody(body: Body, label: string): Body | undefined {
  for (const [i, statement] of body.statements.entries()) {
    const pipeline = pipelineOf(statement);
    const value = pipeline && cutPipeline(pipeline, label);
    if (!value) continue;
    const last: Statement = { kind: "expression", span: value.span, value };
    return { span: body.span, statements: [...body.statements.slice(0, i), last] };
  }
  return undefined;
}

function cutPipeline(pipeline: PipelineExpression, label: string): PipelineExpression | undefined {
  const { head, stages, span } = pipeline;
  const place = [head, ...stages].findIndex((stage) => stage.label?.text === label);
  if (place < 0) return undefined;
  const end = [head, ...stages][place]!.span.end;
  return { ...pipeline, stages: stages.slice(0, place), span: { ...span, end } };
}

function pipelineOf(statement: Statement): PipelineExpression | undefined {
  return (statement.kind === "expression" || statement.kind === "bind") && statement.value.kind === "pipeline"
    ? statement.value
    : undefined;
}

function labelsOf(body: Body): string[] {
  return body.statements.flatMap((statement) => {
    const pipeline = pipelineOf(statement);
    const stages: readonly Stage[] = pipeline ? [pipeline.head, ...pipeline.stages] : [];
    return stages.flatMap(({ label }) => (label ? [label.text] : []));
  });
}

export function isCut(items: readonly AxisItem[]): boolean {
  return items.some((item) => item.kind === "pack");
}
