/** Where an expression is evaluated: what it can see, in which phase, under which weight path, called from where. */
import type { CallableDeclaration } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import type { Node, Value } from "../ir/graph.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { TensorType } from "../ir/type.ts";
import type { FileScope } from "./names.ts";
import type { Session } from "./session.ts";
import type { Solver } from "./solver.ts";
import type { Axis, CheckType } from "./type.ts";
import type { CheckValue } from "./values.ts";
import { isUserSpan } from "./origin.ts";

export type Phase = "fitting" | "training" | "inference";

export type WeightKind = "kernel" | "table" | "other";

export interface WeightRequest {
  /** the model it belongs to */
  readonly model: string;
  /** `stage1.basic0.conv1.kernel` */
  readonly path: string;
  readonly type: CheckType;
  /** by the name of the weight: `kernel`, `table`, all others */
  readonly kind: WeightKind;
  /** Builds its first value in another graph; undefined where the initialiser has an error. */
  initial(builder: GraphBuilder): Value | undefined;
  readonly span: Span;
}

export interface StateRequest {
  readonly model: string;
  readonly path: string;
  readonly type: CheckType;
  initial(builder: GraphBuilder): Value | undefined;
  readonly span: Span;
  /** its module sees the train split before training: it has an update under `if fitting` */
  readonly fitted: boolean;
}

/** Where values of weights come from, asked once for every path of one elaboration. */
export interface WeightSource {
  get(request: WeightRequest): Value | undefined;
}

export interface StateStore {
  /** the value at the start; asked once for every path */
  get(request: StateRequest): Value | undefined;
  /** a later value, which replaces earlier ones; `span` is the update */
  set(request: StateRequest, value: Value, span: Span, from: CheckValue): void;
}

/** A stage of the root declaration as `dlmc show` prints it. */
export interface StageRow {
  /** as written, without the arrow */
  readonly text: string;
  readonly span: Span;
  readonly label: string | undefined;
  readonly type: CheckType;
  /** parameters first used by this stage */
  readonly parameters: number;
  /** floating point operations of the contractions of this stage, for one row (free dims count 1) */
  readonly flops: number;
}

export interface Requested {
  readonly request: WeightRequest | StateRequest;
  readonly state: boolean;
  /** of a state: as it is after the updates so far */
  value: Value | undefined;
  /** the body that declares it */
  readonly frame: Frame;
}

/** A program that sees a few new positions of a sequence at a time, and keeps what it needs of those before. */
export interface StepProgram {
  /** the size of the axis of new positions */
  readonly axis: Dim;
  /** the size of the axis of all positions; entries that are not written yet are never looked at */
  readonly soFar: Dim;
  /** the number of positions before the new ones, an i32 */
  offset(): Value;
  /** There may be no more positions than this, as the text says here. */
  limit(most: Dim, span: Span): void;
  /** A value that outlives calls, 0 at the start: it becomes `next(old)` in each. */
  keep(path: string, type: TensorType, next: (old: Value) => Value): Value;
  /** The same in two parts: what it was, and then what it becomes. */
  begin(path: string, type: TensorType): { readonly old: Value; end(next: Value): void };
  /** masks that are true up to the position of their row alone */
  readonly causal: Set<Value>;
  /** where in the text nodes come from */
  readonly spans: Map<Node, Span>;
}

/** The step program, where this is the axis of its new positions. */
export function stepAlong(frame: Frame, size: Dim): StepProgram | undefined {
  const { step, solver } = frame.elaboration;
  return step && dim.equal(solver.normalise(size), step.axis) ? step : undefined;
}

/** One pass over a declaration (and all it calls) in one phase. */
export interface Elaboration {
  readonly session: Session;
  readonly builder: GraphBuilder | undefined;
  /** undefined: whole sequences */
  readonly step: StepProgram | undefined;
  /** sizes of axes of `cache`, by the size they are of, while no graph is built */
  readonly soFar: Map<string, Dim>;
  readonly solver: Solver;
  readonly weights: WeightSource;
  readonly states: StateStore;
  /** weights and states asked for so far, by model and path */
  readonly requested: Map<string, Requested>;
  /** phase of an instance, where it is not that of its surroundings: frozen ones are in inference */
  readonly phaseAt: ((model: string, path: string) => Phase | undefined) | undefined;
  /** rows for `dlmc show`, filled where wanted */
  readonly rows: StageRow[] | undefined;
  /** a module is checked alone: sizes are symbols, and what a callee demands is passed on to the caller */
  readonly alone: boolean;
  /** mistakes are looked for, also in what is not built (first values) */
  readonly checking: boolean;
  /** what is drawn follows from the seed alone, whatever the iteration: a first value, or a model in use */
  readonly once?: true | undefined;
  /** named instances that were used with an unknown: what is missing of them is no news */
  readonly poisoned: Set<object>;
  /** numbers of the steps of the scans around, outermost first; undefined where no graph is built */
  readonly steps: readonly (Value | undefined)[];
  /** passes of `repeat` and `for` so far: unrolled, they must stay countable */
  passes: number;
  /** sets the random draws of this elaboration apart from those of others of the same models */
  readonly salt: string;
  /** counts random draws, so that each has its own key */
  readonly draws: Map<string, number>;
}

/** Weight paths of one named scope. */
export interface PathScope {
  /** with a final dot, or empty */
  readonly prefix: string;
  /** next ordinal of each kind of unnamed stage */
  counters: Map<string, number>;
  /** the one module applied in it takes its own path: `head: Dense(4)` is `head.kernel` */
  readonly single: boolean;
  /** who bears a segment */
  claims: Map<string, { readonly identity: object; readonly span: Span }>;
}

export function pathScope(prefix: string, single = false): PathScope {
  return { prefix, single, counters: new Map(), claims: new Map() };
}

export interface LocalScope {
  readonly values: Map<string, CheckValue>;
  readonly parent: LocalScope | undefined;
}

/** One run of a body. Its labels go out under the names that the caller knows them by. */
export interface Activation {
  /** the caller's label for a label of this body; undefined: it has none there */
  outerLabel(label: string): string | undefined;
}

export interface CallSite {
  readonly span: Span;
  readonly frame: Frame;
}

export interface Frame {
  readonly elaboration: Elaboration;
  readonly file: FileScope;
  readonly locals: LocalScope;
  /** models and workflow blocks see the file's lets */
  readonly open: boolean;
  readonly declaration: CallableDeclaration | undefined;
  /** of the weights below */
  readonly model: string;
  readonly path: PathScope;
  readonly phase: Phase;
  readonly call: CallSite | undefined;
  readonly activation: Activation;
  /** what `_` stands for */
  readonly piped: CheckValue | undefined;
  /** axes that the packs of the signature took in, by name (`` for `..`) */
  readonly packs: Map<string, readonly Axis[]>;
  /** errors below are consequences of one that was reported */
  readonly muted: boolean;
  /** states of the module whose body this is */
  readonly states: Map<string, StateRequest>;
  /** rows are recorded for the stages of this frame's own body */
  readonly recording: boolean;
  /** inside `if training` or `if fitting`: states may be updated */
  readonly changing: boolean;
  /** what the steps of the innermost scan yield, where this is in the body of one */
  readonly yields: Yielded[] | undefined;
}

export interface Yielded {
  readonly value: CheckValue;
  readonly span: Span;
}

export const ownLabels: Activation = { outerLabel: (label) => label };

export function innerScope(frame: Frame): Frame {
  return { ...frame, locals: { values: new Map(), parent: frame.locals }, recording: false };
}

export function withPath(frame: Frame, path: PathScope): Frame {
  return { ...frame, path, phase: phaseAt(frame, path) };
}

/** The phase of what lies at this path: that of `frame`, but for a part that is frozen in training. */
export function phaseAt({ elaboration, model, phase }: Frame, { prefix }: PathScope): Phase {
  return elaboration.phaseAt?.(model, prefix.replace(/\.$/, "")) ?? phase;
}

/** The innermost place in a user's file: the span itself, or the call that led to it. */
export function userSpan(frame: Frame | undefined, span: Span): Span {
  if (isUserSpan(span)) return span;
  for (let call = frame?.call; call; call = call.frame.call) if (isUserSpan(call.span)) return call.span;
  return span;
}

/** The call in the declaration that is elaborated as a whole; undefined there itself. */
export function rootCall(frame: Frame): Span | undefined {
  let span: Span | undefined;
  for (let call = frame.call; call; call = call.frame.call) {
    // a workflow block that applies a model says nothing of the model's stages
    if (span && call.frame.declaration === undefined) break;
    if (isUserSpan(call.span)) span = call.span;
  }
  return span;
}

/** That of the declaration that is elaborated as a whole, or of the workflow block. */
export function rootFrame(frame: Frame): Frame {
  let root = frame;
  while (root.call) root = root.call.frame;
  return root;
}

/** A row of data is among what the body sees: its tensors are declared in a `data` block. */
export function readsData(frame: Frame): boolean {
  return [...frame.locals.values.values()].some(({ kind }) => kind === "record");
}
