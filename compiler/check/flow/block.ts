/** What workflow blocks share: their frame, the model and data they speak of, numbers, and the model applied to a batch. */
import type { Expression, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import type { Value } from "../../ir/graph.ts";
import { applyCallable, runValue } from "../call.ts";
import { nothingBound } from "../arguments.ts";
import type { Given } from "../builtins/builtin.ts";
import { unfit } from "../diagnostics/dlm0114-unfit-value.ts";
import { createElaboration, workflowFrame } from "../elaborate.ts";
import type { ElaborateOptions } from "../elaborate.ts";
import { evaluate } from "../evaluate.ts";
import { pathScope, withPath } from "../frame.ts";
import type { Frame, Phase, StateStore, StepProgram, WeightSource } from "../frame.ts";
import { evaluateName } from "../lookup.ts";
import { isBroken } from "../names.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import { typeShape } from "../signature.ts";
import { kindInWords, unknown } from "../values.ts";
import type { CallableValue, CheckValue, DataValue, TensorValue } from "../values.ts";
import { rowRecord } from "./batch.ts";
import { columnMissing } from "./data.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { Facts } from "./facts.ts";
import type { FlowContext } from "./settings.ts";

/** Where the weights and states of one elaboration come from and go to. */
export interface Stores {
  readonly weights: WeightSource;
  readonly states: StateStore;
  /** the program is a step program */
  readonly step?: StepProgram | undefined;
}

export function blockFrame(
  session: Session,
  scope: FileScope,
  phase: Phase,
  builder: GraphBuilder | undefined,
  stores?: Stores,
  options: Pick<ElaborateOptions, "salt" | "phaseAt" | "once"> = {},
): Frame {
  const elaboration = createElaboration(session, { phase, builder, ...stores, ...options });
  return workflowFrame(elaboration, scope, phase);
}

/** What reading settings needs: numbers are evaluated in the file's scope. */
export function flowContext(session: Session, scope: FileScope, facts: Facts): FlowContext {
  const frame = blockFrame(session, scope, "inference", undefined);
  return {
    facts,
    diagnose: (diagnostic) => session.add(diagnostic),
    isBroken: (span) => isBroken(scope, span),
    constant(expression) {
      const value = evaluate(frame, expression);
      if (value.kind === "number" && value.value !== undefined) return value.value;
      if (value.kind !== "unknown")
        session.report(frame, unfit, {
          span: expression.span,
          expected: "a number known before running",
          found: kindInWords(value),
          helps: [],
        });
      return undefined;
    },
  };
}

// ---------------------------------------------------------------- model and data

/** The model that a block is named after. Undefined after a diagnostic. */
export function modelOf(frame: Frame, declaration: WorkflowDeclaration): CallableValue | undefined {
  const { text, span } = declaration.name;
  const found = evaluateName(frame, { kind: "name", text, span });
  if (found.kind === "callable" && found.declaration.kind === "model") return found;
  if (found.kind !== "unknown")
    wrongName(frame, declaration.kind, "the name of a model", declaration.name.span, found);
  return undefined;
}

function wrongName(
  frame: Frame,
  setting: string,
  needs: string,
  span: Expression["span"],
  found: CheckValue,
): void {
  frame.elaboration.session.add(
    report(settingValue, { setting, needs, span, found: `this is ${kindInWords(found)}` }),
  );
}

/** The data behind `on`. Undefined after a diagnostic. */
export function dataOf(frame: Frame, declaration: WorkflowDeclaration): DataValue | undefined {
  const { on, name } = declaration;
  if (on === undefined) {
    frame.elaboration.session.add(
      report(settingValue, {
        setting: declaration.kind,
        needs: "data to work on",
        span: name.span,
        found: "on which rows?",
        signature: `${declaration.kind} ${name.text} on Data`,
      }),
    );
    return undefined;
  }
  const found = evaluate(frame, on);
  if (found.kind === "data") return found;
  if (found.kind !== "unknown") wrongName(frame, declaration.kind, "data behind `on`", on.span, found);
  return undefined;
}

/** The model's arguments out of a batch: by the record of the data, or the column of the parameter's name. */
export function argumentsOf(
  frame: Frame,
  model: CallableValue,
  data: DataValue,
  columns: ReadonlyMap<string, TensorValue>,
  block: WorkflowDeclaration,
): ReadonlyMap<string, Given> | undefined {
  const { session, builder } = frame.elaboration;
  const modelFrame = { ...frame, file: model.scope };
  const given = new Map<string, Given>();
  for (const parameter of model.declaration.tensors) {
    const shape = typeShape(modelFrame, parameter.type);
    const name = parameter.name.text;
    let value: CheckValue = unknown;
    let span = block.name.span;
    if (shape.kind === "any" && session.alone.get(model.declaration) === "failed") return undefined;
    if (shape.kind === "data") {
      if (shape.data.declaration === data.declaration)
        value = rowRecord(data, columns, builder, block.name.span);
      else
        session.add(
          report(settingValue, {
            setting: block.kind,
            needs: `the data that \`${model.declaration.name.text}\` takes, \`${shape.data.declaration.name.text}\``,
            span: block.on?.span ?? block.name.span,
            found: `this is \`${data.declaration.name.text}\``,
          }),
        );
    } else {
      const column = data.columns.find((c) => c.name === name && c.role === "input");
      if (column) {
        value = columns.get(name) ?? unknown;
        ({ span } = column);
      } else if (!hasErrors(session, data.declaration.span))
        session.add(
          columnMissing(
            name,
            parameter.name.span,
            data.columns.filter((c) => c.role === "input"),
            data.declaration,
          ),
        );
    }
    // what is wrong with the data has been said, and its rows have no size here
    if (value.kind === "unknown" || (value.kind === "record" && value.fields.size === 0)) return undefined;
    const at = parameter.type?.span ?? parameter.span;
    given.set(name, { value, span, expression: undefined, alias: undefined, at });
  }
  return given;
}

/** A mistake was found there: what follows from it is not one of its own. */
function hasErrors(session: Session, { source, start, end }: Span): boolean {
  return session.diagnostics.some(
    ({ severity, primary: { span } }) =>
      severity === "error" && span.source === source && span.start >= start && span.end <= end,
  );
}

/** The model's result; unknown where a diagnostic says why there is none. */
export function runModel(
  frame: Frame,
  model: CallableValue,
  given: ReadonlyMap<string, Given>,
  block: Pick<WorkflowDeclaration, "name">,
): CheckValue {
  // its weights have paths without a segment for the model itself
  const root = withPath({ ...frame, model: model.declaration.name.text }, pathScope("", true));
  return runValue(root, model, { ...nothingBound, tensors: given }, undefined, block.name.span);
}

/** A function of one tensor applied to it: a schedule to the step. */
export function applyTo(
  frame: Frame,
  stage: CheckValue,
  tensor: TensorValue,
  span: Expression["span"],
): CheckValue {
  if (stage.kind !== "callable" && stage.kind !== "builtin") return stage;
  return applyCallable(
    frame,
    stage,
    { value: tensor, span, expression: undefined, alias: undefined },
    undefined,
    span,
  );
}

/** A scalar of the control block; made once in a graph. */
export function control(builder: GraphBuilder, name: string, dtype: "f32" | "i32"): Value {
  const known = builder.inputs.find(
    ({ source }) => "role" in source && source.role === "control" && source.name === name,
  );
  return known ?? builder.input(name, "control", { dtype, shape: [] });
}

export function lineText(expression: Expression): string {
  return textOf(expression.span).replace(/\s+/g, " ");
}
