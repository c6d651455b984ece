/** What code generators ask of an emitter: scalar code to wasm, inside a loop nest that is being written. */
import type { Dim } from "../../ir/dim.ts";
import type { Buffer, RowLists, Stage } from "../../ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../../ir/scalar.ts";
import type { Flat } from "../access.ts";
import type { Code, Expr } from "./code.ts";
import type { FunctionBuilder } from "./function-builder.ts";
import type { MathLibrary } from "./math.ts";
import type { Symbols } from "./sizes.ts";
import type { Threads } from "./threads.ts";

/** What is the same in all functions of one entry. */
export interface EntryContext {
  readonly code: Code;
  readonly math: MathLibrary;
  /** prefix of its functions, unique */
  readonly name: string;
  readonly dims: readonly string[];
  readonly placeOf: (buffer: Buffer) => Dim;
  /** globals with the dims' maxima, of which addresses are made */
  readonly maxima: Symbols;
  /** globals with the positions of the loops around kernels */
  readonly counters: ReadonlyMap<LoopAxis, Expr>;
  /** set where several threads divide a kernel among them */
  readonly threads: Threads | undefined;
  /** set where several threads run it: number of this one, and bytes of scratch that each has for itself */
  readonly scratch: { readonly thread: Expr; readonly own: ReadonlyMap<Buffer, Dim> } | undefined;
}

export interface Address {
  readonly base: Expr;
  /** bytes, for the instruction's immediate */
  readonly offset: number;
}

export interface Emitter {
  readonly fn: FunctionBuilder;
  readonly code: Code;
  readonly context: EntryContext;
  /** the axis of vector mode and how far this copy is ahead of its local */
  vector: { readonly axis: LoopAxis; readonly offset: number } | undefined;
  /** false where the code written now is only reached when all guards hold */
  guards: boolean;
  /** writes something at a level of its own (the current block, or several emitters over the same blocks) */
  level(action: () => void): void;
  enter(): void;
  leave(): void;
  bind(axis: LoopAxis, value: Expr): void;
  /** what an axis is bound to */
  position(axis: LoopAxis): Expr;
  size(size: Dim): Expr;
  /** an affine index as i32, in vector mode that of lane 0 */
  index(affine: Affine): Expr;
  scalar(node: Scalar): Expr;
  vectorOf(node: Scalar): Expr;
  /** whether it changes along the vector axis */
  varies(node: Scalar): boolean;
  address(buffer: Buffer, flat: Flat): Address;
  addressOf(buffer: Buffer): Expr;
  setResult(stage: Stage, value: Expr, vector: boolean): void;
  /** sums that go through the list of their row */
  listed: ReadonlyMap<Stage, RowLists>;
  /** buffers that this kernel writes: not read before their turn */
  readonly written: Set<Buffer>;
  /** f32x4 or i32x4 constant in a local at the top */
  splatFloat(value: number): Expr;
  splatInt(value: number): Expr;
  /** the numbers 0 1 2 3 times a factor */
  steps(factor: number): Expr;
  keep(value: Expr): Expr;
  /** stores at an element: scalar, or four of them in vector mode */
  store(buffer: Buffer, flat: Flat, value: Expr): void;
  /** an emitter that shares the open levels and goes its own way in the levels it enters */
  fork(): Emitter;
  /** forgets what was read from buffers that are written now */
  forget(buffers: ReadonlySet<Buffer>): void;
}
