/** What an op is: one object from which checking, printing, fusion, both backends and the tests are derived. */
import type { Dim } from "./dim.ts";
import type { GraphBuilder } from "./builder.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { Affine, Index, LoopAxis, Scalar } from "./scalar.ts";
import type { Tensor } from "./tensor.ts";
import type { TensorType } from "./type.ts";

/** A compile-time operand: plain data that the IR text prints and parses. */
export type Attribute =
  | number
  | string
  | boolean
  | Dim
  | Tensor
  | Graph
  | readonly Attribute[]
  | { readonly [name: string]: Attribute };

export type Attributes = Readonly<Record<string, Attribute>>;

/** Why operands do not fit, in words that stand alone; the checker finds mistakes before, so this is for IR text and internal errors. */
export interface Mismatch {
  readonly mismatch: string;
}

export type Combine = "sum" | "max" | "min" | "argmax" | "argmin";

/** What `element` may use. */
export interface ElementContext {
  /** types of the operands, and of the results */
  readonly operands: readonly TensorType[];
  readonly results: readonly TensorType[];
  /** index of the wanted element, one entry a result axis */
  readonly index: readonly Affine[];
  /** One element of an operand. Outside the operand it is 0 (false). */
  read(operand: number, index: readonly (Affine | Index)[]): Scalar;
  /** Whether an index lies inside [0, size) on every axis of the operand. */
  inside(operand: number, index: readonly Affine[]): Scalar;
  /**
   * Combines body over all positions of new axes of these sizes, last one fastest; an empty sum is 0.
   * argmax and argmin give the row-major number of the first best position as i32.
   */
  reduce(combine: Combine, sizes: readonly Dim[], body: (index: readonly Affine[]) => Scalar): Scalar;
  /** Takes one row-major position apart into positions along axes of these sizes (their product is the size of what it runs over). */
  unmerge(index: Affine, sizes: readonly Dim[]): readonly Affine[];
  size(size: Dim): Scalar;
}

export interface GradientContext {
  readonly builder: GraphBuilder;
  readonly node: Node;
  /** cotangent of each result; absent ones are absent, never 0 */
  readonly cotangents: readonly (Value | undefined)[];
  /** whether the cotangent of this operand is wanted */
  wanted(operand: number): boolean;
  /** Cotangents of `wrt`, from those of values that the builder holds; its nodes are added to the builder. */
  pullBack(seeds: ReadonlyMap<Value, Value>, wrt: readonly Value[]): readonly (Value | undefined)[];
}

export interface Op {
  readonly name: string;
  /** one English sentence */
  readonly summary: string;
  /** names of the operands; the last may be `...name` for any number */
  readonly operands: readonly string[];
  /** names of the attributes, each with what it means */
  readonly attributes: Readonly<Record<string, string>>;
  infer(operands: readonly TensorType[], attributes: Attributes): readonly TensorType[] | Mismatch;
  /** The reference meaning in f64, written independently of `element`. `types` are the results' with sizes known. */
  evaluate(operands: readonly Tensor[], attributes: Attributes, context: EvaluateContext): readonly Tensor[];
  /** Result number `result` at context.index. */
  element(context: ElementContext, attributes: Attributes, result: number): Scalar;
  /** Cotangents of the operands, as graph nodes; or the reason why there are none. */
  readonly gradient:
    | ((context: GradientContext, attributes: Attributes) => readonly (Value | undefined)[])
    | { readonly none: string };
  /** Range of each float operand in random tests (default [-2, 2]) and whether points where it has no derivative are to be avoided. */
  readonly domain?: readonly (readonly [number, number])[];
  /** distance to keep from these values of operand 0 when gradients are tested against differences */
  readonly kinks?: readonly number[];
  readonly examples: readonly OpExample[];
  /**
   * Attributes of the same op with one more axis, first in every result and in those operands that `has` names. Undefined
   * where it cannot leave an operand without the axis; absent where there is no such form.
   */
  readonly stacked?: (attributes: Attributes, length: Dim, has: readonly boolean[]) => Attributes | undefined;
  /** True where evaluating it again costs about as much as loading it: elementwise, views, constants. False for reductions. */
  readonly cheap: boolean;
}

export interface EvaluateContext {
  /** sizes of the free dims */
  readonly sizes: ReadonlyMap<string, number>;
  readonly results: readonly { readonly dtype: TensorType["dtype"]; readonly shape: readonly number[] }[];
}

export interface OpExample {
  readonly operands: readonly Tensor[];
  readonly attributes: Attributes;
  readonly results: readonly Tensor[];
}

export function defineOp(op: Op): Op {
  return op;
}

export type { LoopAxis };
