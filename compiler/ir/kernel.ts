/**
 * Kernels: what one dispatch does, and the program that dispatches them.
 * A kernel is a grid of independent iterations and an ordered list of stages inside one iteration.
 */
import type { Dim } from "./dim.ts";
import type { FreeDim, Origin, Role } from "./graph.ts";
import type { Combine } from "./op.ts";
import type { Affine, LoopAxis, Scalar } from "./scalar.ts";
import type { Tensor } from "./tensor.ts";
import type { DType } from "./type.ts";

/** A range of memory holding one tensor, row-major. Compared by identity. */
export interface Buffer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly kind:
    | { readonly kind: "input"; readonly role: Role }
    | { readonly kind: "output" }
    | { readonly kind: "temporary" }
    | { readonly kind: "constant"; readonly value: Tensor }
    /** the result of a prepare kernel, kept until weights change */
    | { readonly kind: "prepared" };
  readonly origin: Origin;
}

/**
 * One stage of an iteration. For every position of `axes`: combines `value` over all positions of `over`
 * (in row-major order; no `combine`: `over` is empty and value is simply evaluated) and puts it in its place.
 */
export interface Stage {
  readonly axes: readonly LoopAxis[];
  readonly over: readonly LoopAxis[];
  readonly combine: Combine | undefined;
  readonly value: Scalar;
  readonly place: Place;
}

export type Place =
  /** one scalar an iteration; `axes` is empty */
  | { readonly kind: "register" }
  /** scratch of the size of `axes`, alive within one iteration; planned like a temporary of this kernel */
  | { readonly kind: "tile"; readonly buffer: Buffer }
  /** an element of a buffer; this kernel reads the buffer at this very element (in place) or in ranges proved disjoint alone */
  | {
      readonly kind: "store";
      readonly buffer: Buffer;
      readonly shape: readonly Dim[];
      readonly index: readonly Affine[];
    };

export interface Kernel {
  /** unique in the program, made of what it computes: `dense0_relu` */
  readonly name: string;
  readonly grid: readonly LoopAxis[];
  readonly stages: readonly Stage[];
  /** set where the first stage is a contraction that the tiled lowering takes */
  readonly contraction: Contraction | undefined;
  /** of sums that need no look at all positions */
  readonly lists?: readonly RowLists[];
  /** of the stored nodes, and of all that was fused into them */
  readonly origins: readonly Origin[];
}

/**
 * A stage is a sum of `id = row ? value : 0` over positions, `id` computed of the position alone and proved a number of the
 * loop `row` of the grid (rows added into a table by their numbers). Before the grid is walked, the positions of every row
 * are put into a list, rising: each row adds up its own, in the order that the stage says.
 */
export interface RowLists {
  /** its number among the stages */
  readonly stage: number;
  readonly row: LoopAxis;
  /** Scratch of this kernel, i32: the first position of each row, and that behind each position; -1 where there is none. */
  readonly first: Buffer;
  readonly next: Buffer;
}

/**
 * stages[0] is sum over `inner` of a * b with a register result, `grid` = batch, rows, columns in some order.
 * a uses batch, row and inner axes; b uses batch, column and inner axes. The other stages are the epilogue:
 * map stages with axes [] that read result(stages[0], []) and store.
 */
export interface Contraction {
  readonly batch: readonly LoopAxis[];
  readonly rows: readonly LoopAxis[];
  readonly columns: readonly LoopAxis[];
  readonly inner: readonly LoopAxis[];
  readonly a: Scalar;
  readonly b: Scalar;
  /**
   * Scratch of this kernel, f32 elements, planned with the other buffers: `panelA` holds one packed block of rows,
   * `panelB` all packed columns of one batch element, `tile` the accumulators that wait between blocks of `inner`.
   */
  readonly panelA: Buffer;
  readonly panelB: Buffer;
  readonly tile: Buffer;
  /** where true, panelB is a prepared buffer that a prepare kernel has filled: it is not packed here */
  readonly prepacked: boolean;
}

export type Step =
  | { readonly kind: "kernel"; readonly kernel: Kernel }
  /** fills the panelB of this kernel's contraction: once for `prepare` entries, or before a loop whose steps read it */
  | { readonly kind: "pack"; readonly kernel: Kernel }
  | LoopStep;

/** The steps inside, once for every position of the counter. */
export interface LoopStep {
  readonly kind: "loop";
  readonly counter: LoopAxis;
  readonly steps: readonly Step[];
  /** set where positions have nothing to do with each other, but for these buffers that each fills and reads anew */
  readonly own?: readonly Buffer[];
}

export type KernelStep = Exclude<Step, { readonly kind: "loop" }>;

/** All steps that are no loops, in order, those inside loops once. */
export function flatSteps(steps: readonly Step[]): readonly KernelStep[] {
  return steps.flatMap((step) => (step.kind === "loop" ? flatSteps(step.steps) : [step]));
}

/** Buffers that stages write to; a register is none. */
export function buffersStored(stages: readonly Stage[]): Set<Buffer> {
  return new Set(stages.flatMap((s) => (s.place.kind === "register" ? [] : [s.place.buffer])));
}

/** Buffers that a kernel has for itself, beside its tiles. */
export function scratchOf({ contraction, lists = [] }: Kernel): readonly Buffer[] {
  const panels = contraction ? [contraction.panelA, contraction.panelB, contraction.tile] : [];
  return [...panels, ...lists.flatMap(({ first, next }) => [first, next])];
}

/** One entry: kernels in order, and where each buffer lies. */
export interface EntryProgram {
  readonly name: string;
  /** free dims in call order; `max` is planned for, or fixed at load */
  readonly dims: readonly FreeDim[];
  readonly steps: readonly Step[];
  readonly inputs: readonly { readonly name: string; readonly role: Role; readonly buffer: Buffer }[];
  readonly outputs: readonly { readonly name: string; readonly buffer: Buffer }[];
  /** states and weights that could not be updated in place: copied at the end of the entry */
  readonly copies: readonly { readonly from: Buffer; readonly to: Buffer }[];
}

/** Scratch of which each thread has its own, one after the other in its place. */
export interface ThreadScratch {
  readonly most: number;
  /** bytes of each thread's, a polynomial in the entry's dims at their maximum */
  readonly own: ReadonlyMap<Buffer, Dim>;
  /** the same where each thread takes positions of an independent loop; else all threads share that of the first */
  readonly ofLoops: ReadonlyMap<Buffer, Dim>;
}

/** The whole program: entries that share parameters, states, control and constants. */
export interface Program {
  readonly entries: readonly EntryProgram[];
  /**
   * Byte offset of every buffer: a polynomial in the entry's dims **at their maximum** (not the size of a call),
   * aligned for every value of them (lower/target.ts). Shared buffers have constant offsets.
   */
  readonly places: ReadonlyMap<Buffer, Dim>;
  /** bytes of the shared region (control, parameters, states, constants, prepared) */
  readonly sharedBytes: number;
  /** per entry: bytes of shared region and arena, a polynomial in its dims at their maximum */
  readonly bytes: ReadonlyMap<EntryProgram, Dim>;
  /** set where several threads run it in one memory */
  readonly threads?: ThreadScratch;
}
