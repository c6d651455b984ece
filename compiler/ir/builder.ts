/** Builds a graph node by node; types are inferred on the way. A mismatch here is a compiler's bug and throws. */
import { symbolsIn } from "./attribute.ts";
import { symbolsOf } from "./dim.ts";
import { InternalError } from "./internal-error.ts";
import { showType } from "./type.ts";
import type { Attributes, Op } from "./op.ts";
import type { FreeDim, Graph, GraphInput, Node, Origin, Role, Value } from "./graph.ts";
import type { TensorType } from "./type.ts";

export interface GraphBuilder {
  readonly nodes: Node[];
  readonly inputs: Value[];
  /** attached to every node made while it is set */
  origin: Origin;
  /** the part of the graph that nodes made while it is set belong to: the backward pass computes it again */
  part: number | undefined;
  /** of all nodes that were made in one */
  readonly parts: ReadonlyMap<Node, number>;
  input(name: string, role: Role, type: TensorType): Value;
  /** all results of a new node */
  node(op: Op, operands: readonly Value[], attributes?: Attributes): readonly Value[];
  /** the only (or first) result of a new node */
  emit(op: Op, operands: readonly Value[], attributes?: Attributes): Value;
  /** Without `dims` these are all that types and attributes mention. */
  finish(parts: Pick<Graph, "name" | "outputs" | "writes"> & { readonly dims?: readonly FreeDim[] }): Graph;
}

/** Free dims that the types of values and nodes, and the attributes of nodes, mention, in this order. */
export function freeDimsOf(inputs: readonly Value[], nodes: readonly Node[]): FreeDim[] {
  const names = new Set<string>();
  for (const { type } of [...inputs, ...nodes.flatMap((node) => node.results)])
    for (const size of type.shape) symbolsOf(size, names);
  for (const { attributes } of nodes) symbolsIn(attributes, names);
  return [...names].map((name) => ({ name, max: undefined }));
}

export const noOrigin: Origin = { path: "", at: undefined };

export function graphBuilder(): GraphBuilder {
  const nodes: Node[] = [];
  const inputs: Value[] = [];
  const parts = new Map<Node, number>();
  const builder: GraphBuilder = {
    nodes,
    part: undefined,
    parts,
    inputs,
    origin: noOrigin,
    input(name, role, type) {
      const source: GraphInput = { name, role, type };
      const value: Value = { type, source, result: 0 };
      inputs.push(value);
      return value;
    },
    node(op, operands, attributes = {}) {
      const types = op.infer(
        operands.map((v) => v.type),
        attributes,
      );
      if ("mismatch" in types) {
        const shown = operands.map((v) => showType(v.type)).join(", ");
        throw new InternalError("build", `${op.name}(${shown}): ${types.mismatch}`, undefined);
      }
      const results: Value[] = [];
      const node: Node = { op, operands, attributes, results, origin: builder.origin };
      types.forEach((type, result) => results.push({ type, source: node, result }));
      nodes.push(node);
      if (builder.part !== undefined) parts.set(node, builder.part);
      return results;
    },
    emit(op, operands, attributes) {
      return builder.node(op, operands, attributes)[0]!;
    },
    finish({ name, dims = freeDimsOf(inputs, nodes), outputs, writes }) {
      return { name, dims, inputs: [...inputs], nodes: [...nodes], outputs, writes };
    },
  };
  return builder;
}
