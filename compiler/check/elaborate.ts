/** A whole declaration in one phase: its inputs, its body, its result. What entries are made of. */
import type { CallableDeclaration, Expression, Parameter } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import { evaluateBody } from "./body.ts";
import { evaluate } from "./evaluate.ts";
import { batchAxis, batchDim, columnTensors, rowRecord } from "./flow/batch.ts";
import { ownLabels, pathScope } from "./frame.ts";
import type { Elaboration, Frame, Phase, StateStore, StepProgram, WeightSource } from "./frame.ts";
import type { FileScope } from "./names.ts";
import { runNotation } from "./notation.ts";
import { dimNumber } from "./numbers.ts";
import { conformResult } from "./result.ts";
import type { Conformed } from "./result.ts";
import type { Session } from "./session.ts";
import { freeType } from "./free-type.ts";
import { typeShape } from "./signature.ts";
import { createSolver } from "./solver.ts";
import type { Fact, Solver } from "./solver.ts";
import { graphType } from "./type.ts";
import type { Axis, CheckType } from "./type.ts";
import { unknown } from "./values.ts";
import type { CheckValue, DataValue, RecordValue, TensorValue } from "./values.ts";
import { assumeWhere, checkPromises, factOf } from "./where.ts";

export interface ElaborateOptions {
  readonly phase: Phase;
  /** absent: types only */
  readonly builder?: GraphBuilder | undefined;
  /** absent: the program works on whole sequences */
  readonly step?: StepProgram | undefined;
  readonly weights?: WeightSource | undefined;
  readonly states?: StateStore | undefined;
  readonly phaseAt?: Elaboration["phaseAt"];
  /** collect the rows of `dlmc show` */
  readonly rows?: boolean;
  /** the body is not looked at */
  readonly inputsOnly?: true;
  readonly alone?: boolean;
  readonly salt?: string | undefined;
  readonly once?: true | undefined;
  /** look for mistakes in first values too */
  readonly checking?: boolean;
  /** the graph input that a tensor of the model is; the default declares one of role `input` and this name */
  readonly input?: ((name: string, type: CheckType) => Value | undefined) | undefined;
}

const noWeights: WeightSource = { get: () => undefined };
const noStates: StateStore = { get: () => undefined, set: () => undefined };

export function createElaboration(session: Session, options: ElaborateOptions): Elaboration {
  return {
    session,
    builder: options.builder,
    step: options.step,
    soFar: new Map(),
    solver: createSolver(),
    weights: options.weights ?? noWeights,
    states: options.states ?? noStates,
    requested: new Map(),
    phaseAt: options.phaseAt,
    rows: options.rows ? [] : undefined,
    alone: options.alone ?? false,
    checking: options.checking ?? false,
    poisoned: new Set(),
    passes: 0,
    salt: options.salt ?? "",
    once: options.once,
    draws: new Map(),
    steps: [],
  };
}

export interface Elaborated {
  readonly elaboration: Elaboration;
  /** in which the body was evaluated: its dims and locals */
  readonly frame: Frame;
  readonly inputs: ReadonlyMap<string, CheckValue>;
  /** with the labels of the signature */
  readonly result: CheckValue;
  /** as the body gives it */
  readonly body: CheckValue;
}

/** A frame that sees what a workflow block sees: the file, and these names. */
export function workflowFrame(
  elaboration: Elaboration,
  scope: FileScope,
  phase: Phase,
  locals: ReadonlyMap<string, CheckValue> = new Map(),
): Frame {
  return rootFrame(elaboration, scope, phase, undefined, new Map(locals));
}

function rootFrame(
  elaboration: Elaboration,
  scope: FileScope,
  phase: Phase,
  declaration: CallableDeclaration | undefined,
  values: Map<string, CheckValue>,
): Frame {
  return {
    elaboration,
    file: scope,
    locals: { values, parent: undefined },
    open: declaration === undefined || declaration.kind === "model",
    declaration,
    model: declaration?.name.text ?? "",
    path: pathScope(""),
    phase,
    call: undefined,
    activation: { ...ownLabels },
    piped: undefined,
    packs: new Map(),
    muted: false,
    states: new Map(),
    recording: elaboration.rows !== undefined,
    changing: false,
    yields: undefined,
  };
}

/** Elaborates a model with inputs of its own, or a module alone. */
export function elaborate(
  session: Session,
  scope: FileScope,
  declaration: CallableDeclaration,
  options: ElaborateOptions,
): Elaborated {
  const elaboration = createElaboration(session, options);
  // promises change what the dims of the inputs are made of, so they are read before the inputs are made
  const first = rootFrame(
    { ...elaboration, builder: undefined },
    scope,
    options.phase,
    declaration,
    new Map(),
  );
  if (declaration.where.length > 0) {
    const inputs = declareInputs(first, declaration, undefined);
    if (!checkPromises(first, declaration.where))
      return { elaboration, frame: first, inputs, result: unknown, body: unknown };
  }
  const frame = rootFrame(elaboration, scope, options.phase, declaration, new Map());
  const before = session.errors();
  const inputs = declareInputs(frame, declaration, options.input ?? defaultInput(options.builder));
  // dims that the signature does not make are missing everywhere else
  if (options.checking === true && session.errors() > before)
    return { elaboration, frame, inputs, result: unknown, body: unknown };
  if (options.inputsOnly) return { elaboration, frame, inputs, result: unknown, body: unknown };
  if (declaration.kind === "op") assumeWhere(frame, declaration.where);
  const body =
    declaration.kind === "op"
      ? runNotation(frame, declaration, declaration.span)
      : evaluateBody(frame, declaration.body);
  const conformed = conformResult(frame, declaration, body, "alone");
  return { elaboration, frame, inputs, result: valueOf(conformed), body: body ?? unknown };
}

/** What `where` promises of the free dims of a signature, in the names of its text, and a solver that relies on it. */
export function promisesOf(
  session: Session,
  scope: FileScope,
  declaration: CallableDeclaration,
): {
  readonly solver: Solver;
  readonly facts: readonly { readonly clause: Expression; readonly fact: Fact }[];
} {
  const elaboration = createElaboration(session, { phase: "inference" });
  const frame: Frame = {
    ...rootFrame(elaboration, scope, "inference", declaration, new Map()),
    muted: true,
  };
  declareInputs(frame, declaration, undefined);
  const facts = declaration.where.flatMap((clause) => {
    const fact = factOf(frame, clause);
    return fact ? [{ clause, fact }] : [];
  });
  for (const { fact } of facts) elaboration.solver.assume(fact);
  return { solver: elaboration.solver, facts };
}

function valueOf(conformed: Conformed): CheckValue {
  if (conformed.kind === "other") return conformed.value;
  if (conformed.kind === "tensor") return conformed.value;
  const fields = [...conformed.fields].map(([name, field]) => [name, valueOf(field)] as const);
  return { kind: "record", span: conformed.span, fields: new Map(fields) };
}

type MakeInput = (name: string, type: CheckType) => Value | undefined;

function defaultInput(builder: GraphBuilder | undefined): MakeInput | undefined {
  return builder && ((name, type) => builder.input(name, "input", graphType(type)));
}

function declareInputs(
  frame: Frame,
  declaration: CallableDeclaration,
  input: MakeInput | undefined,
): ReadonlyMap<string, CheckValue> {
  for (const parameter of declaration.configuration)
    frame.locals.values.set(parameter.name.text, configurationValue(frame, parameter));
  const inputs = new Map<string, CheckValue>();
  for (const parameter of declaration.tensors) {
    const value = inputValue(frame, parameter, input);
    inputs.set(parameter.name.text, value);
    frame.locals.values.set(parameter.name.text, value);
  }
  return inputs;
}

/** A parameter without a default stands for any number (or whatever its use makes of it). */
function configurationValue(frame: Frame, parameter: Parameter): CheckValue {
  if (parameter.default) {
    const value = evaluate(frame, parameter.default);
    return value.kind === "number" ? { ...value, label: undefined } : value;
  }
  const name = parameter.name.text;
  const origin = { kind: "written", span: parameter.span, name } as const;
  return { ...dimNumber(frame.elaboration.solver.normalise(dim.symbol(name)), origin), open: true };
}

function inputValue(frame: Frame, parameter: Parameter, input: MakeInput | undefined): CheckValue {
  const shape = typeShape(frame, parameter.type);
  if (shape.kind === "data")
    return batchOf(frame, shape.data, parameter.span, input && frame.elaboration.builder);
  if (shape.kind !== "tensor") return unknown;
  if (isOverSignature(parameter)) declareOver(frame, parameter.span);
  const type = freeType(frame, shape);
  if (!type) return unknown;
  const made: TensorValue = {
    kind: "tensor",
    type,
    value: input?.(parameter.name.text, type),
    span: parameter.span,
  };
  return made;
}

function isOverSignature(parameter: Parameter): boolean {
  return (
    parameter.type?.kind === "tensor-type" &&
    parameter.type.axes.some((item) => item.kind === "pack" && item.name?.text === "Over")
  );
}

/** A fn that is checked alone over two axes of four, which all its tensors have. */
function declareOver(frame: Frame, span: Span): void {
  if (frame.packs.has("all")) return;
  const axes = [0, 1].map((i): Axis => ({
    label: `Over#${i}`,
    size: { dim: frame.elaboration.solver.fresh("Over"), origin: { kind: "written", span, name: undefined } },
  }));
  const own = [0, 1].map((i): Axis => ({
    label: `#${i}`,
    size: { dim: frame.elaboration.solver.fresh("Kept"), origin: { kind: "written", span, name: undefined } },
  }));
  frame.packs.set("Over", axes);
  frame.packs.set("", own);
  frame.packs.set("all", [...own, ...axes]);
}

/** One batch of the inputs of a data set; its rows are the dim B of the signature. */
function batchOf(frame: Frame, data: DataValue, span: Span, builder: GraphBuilder | undefined): RecordValue {
  const { size } = batchAxis(span);
  frame.locals.values.set(batchDim, dimNumber(size.dim, size.origin));
  return rowRecord(data, columnTensors(data, builder), builder, span);
}
