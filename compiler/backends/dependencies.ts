/** What a scalar depends on: loops, buffers and earlier stages. Facts of the node alone, so they are kept by identity. */
import type { Buffer, Stage } from "../ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../ir/scalar.ts";
import { flatten } from "./access.ts";
import type { Flat } from "./access.ts";

export interface Dependencies {
  readonly axes: ReadonlySet<LoopAxis>;
  /** axes in conditions of guarded loads */
  readonly guards: ReadonlySet<LoopAxis>;
  readonly buffers: ReadonlySet<Buffer>;
  readonly stages: ReadonlySet<Stage>;
}

const known = new WeakMap<Scalar, Dependencies>();
const flats = new WeakMap<Scalar, Flat>();

/** Offset of a load, or of a tile's element. */
export function flatOf(node: Extract<Scalar, { kind: "load" | "result" }>): Flat {
  let flat = flats.get(node);
  if (flat === undefined) {
    flat = flatten(node.index, node.kind === "load" ? node.shape : node.stage.axes.map((a) => a.size));
    flats.set(node, flat);
  }
  return flat;
}

export function dependenciesOf(node: Scalar): Dependencies {
  const old = known.get(node);
  if (old !== undefined) return old;
  const axes = new Set<LoopAxis>();
  const guards = new Set<LoopAxis>();
  const buffers = new Set<Buffer>();
  const stages = new Set<Stage>();
  const affine = (a: Affine, into: Set<LoopAxis>): void => a.terms.forEach((t) => into.add(t.axis));
  const child = (c: Scalar): void => {
    const of = dependenciesOf(c);
    of.axes.forEach((a) => axes.add(a));
    of.guards.forEach((a) => guards.add(a));
    of.buffers.forEach((b) => buffers.add(b));
    of.stages.forEach((s) => stages.add(s));
  };
  switch (node.kind) {
    case "constant":
    case "size":
      break;
    case "index":
      affine(node.index, axes);
      break;
    case "inside":
      node.index.forEach((a) => affine(a, axes));
      break;
    case "load": {
      buffers.add(node.buffer);
      for (const axis of flatOf(node).coefficients.keys()) axes.add(axis);
      node.index.forEach((index, i) => {
        if (index.kind === "affine" && node.guarded.includes(i)) affine(index.affine, guards);
      });
      for (const { value } of flatOf(node).computed) child(value);
      break;
    }
    case "result":
      stages.add(node.stage);
      for (const axis of flatOf(node).coefficients.keys()) axes.add(axis);
      break;
    case "apply":
      node.operands.forEach(child);
      break;
  }
  const result = { axes, guards, buffers, stages };
  known.set(node, result);
  return result;
}
