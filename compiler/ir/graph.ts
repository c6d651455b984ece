/**
 * Graphs: nodes in an order in which operands come first. A graph is one entry's meaning; state is a value
 * (an input of role `state` is read once, `writes` say what it becomes).
 */
import type { Attributes, Op } from "./op.ts";
import type { TensorType } from "./type.ts";

/** Where a node comes from; carried to kernels, reports and labels of profiles. */
export interface Origin {
  /** path of the instance that made it, as in weight paths: `stage1.basic0.conv1`; empty at top level */
  readonly path: string;
  /** innermost place in a user's file; undefined for what the compiler adds */
  readonly at: { readonly file: string; readonly line: number; readonly column: number } | undefined;
}

export type Role =
  /** given with every call */
  | "input"
  /** the parameter region, or a part of it */
  | "weight"
  /** kept between calls: running statistics, fitted numbers, optimizer state */
  | "state"
  /** scalars of the control block, written by the driver before each call */
  | "control";

export interface GraphInput {
  readonly name: string;
  readonly role: Role;
  readonly type: TensorType;
}

/** One result of a node, or an input. Compared by identity. */
export interface Value {
  readonly type: TensorType;
  readonly source: GraphInput | Node;
  /** which result, where the source is a node; 0 for an input */
  readonly result: number;
}

export interface Node {
  readonly op: Op;
  readonly operands: readonly Value[];
  readonly attributes: Attributes;
  readonly results: readonly Value[];
  readonly origin: Origin;
}

export function isNode(source: GraphInput | Node): source is Node {
  return "op" in source;
}

export interface Graph {
  /** the entry's name: infer, train, ... */
  readonly name: string;
  /** free dims of the graph, each at least 1, in the order in which an entry takes them */
  readonly dims: readonly FreeDim[];
  readonly inputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly outputs: readonly { readonly name: string; readonly value: Value }[];
  /** what states and weights become; all reads see the old value */
  readonly writes: readonly { readonly input: Value; readonly value: Value }[];
}

export interface FreeDim {
  readonly name: string;
  /** largest size that memory is planned for; fixed at load where undefined */
  readonly max: number | undefined;
  /** the program's dim, where this one is a part of it: `times` of it are the dim `name` */
  readonly of?: { readonly name: string; readonly times: number };
}
