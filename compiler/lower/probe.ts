/** What a node does with its operands, learned from its `element` alone. */
import type { Node } from "../ir/graph.ts";
import { loopOf } from "../ir/loop.ts";
import type { Combine } from "../ir/op.ts";
import type { Affine, Instruction, LoopAxis, Scalar } from "../ir/scalar.ts";
import { elements, scalarTypeOf } from "../ir/type.ts";
import * as dim from "../ir/dim.ts";
import { elementOf, indexOver, makeComputed } from "./compose.ts";
import type { Loops } from "./compose.ts";
import { flatIndex, makeDigits } from "./digits.ts";
import { factorsOf, groupFactors } from "./contraction-axes.ts";
import { makeNames, visit } from "./scalar-walk.ts";

export interface Read {
  readonly operand: number;
  readonly index: readonly Affine[];
  /** axes of the operand on which the index may lie outside */
  readonly outside: readonly number[];
}

export interface Reduction {
  readonly combine: Combine;
  readonly over: readonly LoopAxis[];
  readonly value: Scalar;
}

export interface Traced {
  readonly code: Scalar;
  readonly reads: readonly Read[];
  readonly reductions: readonly Reduction[];
  /** the read that a scalar stands for */
  readonly readOf: ReadonlyMap<Scalar, Read>;
}

/** Calls `element` once and records what it reads and reduces. */
export function trace(node: Node, result: number, index: readonly Affine[], loops: Loops): Traced {
  const reads: Read[] = [];
  const reductions: Reduction[] = [];
  const readOf = new Map<Scalar, Read>();
  /** a scalar that stands for something not looked into; its identity tells it from others */
  const standIn = (type: Scalar["type"]): Scalar => ({ kind: "constant", type, value: NaN });
  const values = node.operands;
  const code = elementOf(node, result, index, loops, {
    element(value, at, outside) {
      const read: Read = { operand: values.indexOf(value), index: at, outside };
      reads.push(read);
      const s = standIn(scalarTypeOf(value.type.dtype));
      readOf.set(s, read);
      return s;
    },
    stage(combine, over, value) {
      reductions.push({ combine, over, value });
      return standIn(combine === "argmax" || combine === "argmin" ? "i32" : value.type);
    },
  });
  return { code, reads, reductions, readOf };
}

const dear: Partial<Record<Instruction, number>> = {
  div: 3,
  sqrt: 3,
  rsqrt: 4,
  reciprocal: 3,
  exp: 10,
  expm1: 12,
  log: 10,
  log1p: 12,
  tanh: 10,
  sigmoid: 12,
  softplus: 20,
  erf: 12,
  sin: 15,
  cos: 15,
  pow: 30,
};

export function isTranscendental(instruction: Instruction): boolean {
  return (dear[instruction] ?? 0) >= 10;
}

function costOf(code: Scalar): number {
  let cost = 0;
  visit(code, (s) => {
    if (s.kind === "apply") cost += dear[s.instruction] ?? 1;
    if (s.kind === "inside") cost += 1;
  });
  return cost;
}

export interface Facts {
  /** about how many simple instructions one element costs; of reductions only what comes after */
  readonly cost: number;
  /** nothing but one read of one operand */
  readonly view: boolean;
  /** a view that keeps the row-major order of the elements */
  readonly reshape: boolean;
  readonly reduces: boolean;
  /** a sum of products that the tiled lowering takes */
  readonly contracts: boolean;
}

export function isConstant(node: Node): boolean {
  return node.op.name === "constant";
}

export function factsOf(node: Node, result: number): Facts {
  // a table of constants and what a loop gives are loaded, and have no code
  if (isConstant(node) || loopOf(node))
    return { cost: 0, view: false, reshape: false, reduces: false, contracts: false };
  const names = makeNames();
  const loops: Loops = { names, digits: makeDigits(names), computed: makeComputed() };
  const { axes, index } = indexOver(node.results[result]!.type.shape, (k) => `x${k}`);
  const traced = trace(node, result, index, loops);
  const read = traced.readOf.get(traced.code);
  return {
    cost: costOf(traced.code),
    view: read !== undefined && traced.reductions.length === 0,
    reshape: read !== undefined && isReshape(node, result, read, index, loops),
    reduces: traced.reductions.length > 0,
    contracts: traced.reductions.length === 1 && isContraction(traced, axes),
  };
}

function isReshape(node: Node, result: number, read: Read, index: readonly Affine[], loops: Loops): boolean {
  const from = node.operands[read.operand]!.type;
  const to = node.results[result]!.type;
  if (!dim.equal(elements(from), elements(to))) return false;
  const { digits, names } = loops;
  const a = digits.recombine(flatIndex(read.index, from.shape));
  const b = digits.recombine(flatIndex(index, to.shape));
  return read.outside.length === 0 && names.affine(a) === names.affine(b);
}

function isContraction({ reductions, readOf }: Traced, axes: readonly LoopAxis[]): boolean {
  const [reduction] = reductions;
  if (reduction!.combine !== "sum") return false;
  const factors = factorsOf(reduction!.value).map((factor) => {
    const used = new Set<LoopAxis>();
    visit(factor, (s) => {
      for (const a of readOf.get(s)?.index ?? []) for (const t of a.terms) used.add(t.axis);
    });
    return used;
  });
  return groupFactors(axes, reduction!.over, factors, axes.at(-1)) !== undefined;
}
