/**
 * Fusion policy: which values are stored, each with its reason; all others are evaluated where they are read.
 * Walks from the results back to the inputs. When it comes to a value, all places that read it are decided, so it knows
 * exactly at which positions of which kernels the value would be evaluated (its demands).
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { loopOf } from "../ir/loop.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Affine, LoopAxis } from "../ir/scalar.ts";
import { elements } from "../ir/type.ts";
import { provedInside } from "./bounds.ts";
import { indexOver, makeComputed } from "./compose.ts";
import type { Loops } from "./compose.ts";
import { groupAxes, makeDigits } from "./digits.ts";
import { factsOf, isConstant, trace } from "./probe.ts";
import type { Facts } from "./probe.ts";
import type { Names } from "./scalar-walk.ts";

export interface Choice {
  /** stored values and why */
  readonly stored: ReadonlyMap<Value, string>;
  /** stored values that lie in a range of a concat's buffer */
  readonly parts: ReadonlyMap<Value, Part>;
  /** the ranges of a concat that are written by what lies in them */
  readonly placed: ReadonlyMap<Value, readonly Part[]>;
  readonly facts: ReadonlyMap<Value, Facts>;
}

/** A range along one axis of a concat. */
export interface Part {
  readonly whole: Value;
  readonly axis: number;
  readonly start: Dim;
  /** which operand of the concat it is */
  readonly operand: number;
  /** set where the concat's operand is a coarser view of what is stored: the shape of that view */
  readonly as: readonly Dim[] | undefined;
}

/** A kernel to be: the stored value it is made for. */
interface Root {
  readonly value: Value;
  readonly axes: readonly LoopAxis[];
  readonly loops: Loops;
  contraction: boolean;
  /** leading loops that are the grid, where the others are a row inside an iteration */
  rowGrid: readonly LoopAxis[] | undefined;
  /** has a reduction a grid element */
  full: boolean;
}

interface Demand {
  readonly root: Root;
  readonly index: readonly Affine[];
  /** all loops around the evaluation */
  readonly scope: readonly LoopAxis[];
  /** those of them that belong to a reduction */
  readonly over: readonly LoopAxis[];
  /** inside a factor of a contraction: evaluated once an element of its packed panel */
  readonly packed: boolean;
}

/** What a free dim counts as when work is compared; large, so that nothing is decided by a call's size. */
const nominal = 64;
/** longest row that is kept in scratch */
export const longestRow = 1 << 16;
/** costs above this are not told apart */
const dearest = 150;
/** simple instructions that a separate kernel, a store and a later load are worth */
const kernelWorth = 16;
const storeWorth = 3;

function roughly(size: Dim): number {
  return dim.evaluate(size, new Map([...dim.symbolsOf(size)].map((name) => [name, nominal])));
}

const roughProduct = (axes: readonly LoopAxis[]): number =>
  axes.reduce((product, axis) => product * Math.max(1, roughly(axis.size)), 1);

export function chooseStored(graph: Graph, names: Names, forced: ReadonlyMap<Value, string>): Choice {
  const stored = new Map<Value, string>();
  const parts = new Map<Value, Part>();
  const placed = new Map<Value, Part[]>();
  const facts = new Map<Value, Facts>();
  const demands = new Map<Value, Map<string, Demand>>();
  const uses = countUses(graph);
  const drawn = drawnFor(graph);
  for (const node of graph.nodes)
    for (const value of node.results) facts.set(value, factsOf(node, value.result));
  const cumulative = cumulativeCosts(graph, facts);

  /** how often a value is a part */
  const concats = new Map<Value, number>();
  for (const node of graph.nodes)
    if (node.op.name === "concat")
      for (const part of node.operands) concats.set(part, (concats.get(part) ?? 0) + 1);

  const required = new Map<Value, string>();
  for (const { name, value } of graph.outputs) required.set(value, `is the output ${name}`);
  for (const { input, value } of graph.writes)
    if (!required.has(value) && "name" in input.source) required.set(value, `becomes ${input.source.name}`);

  for (const node of graph.nodes)
    if (loopOf(node)) {
      for (const value of node.results) required.set(value, "is a result of a loop");
      for (const value of node.operands)
        if (isNode(value.source) && !isConstant(value.source) && !required.has(value))
          required.set(value, "is read by a loop");
    }

  const demand = (value: Value, d: Demand): void => {
    if (!isNode(value.source)) return;
    let list = demands.get(value);
    if (list === undefined) demands.set(value, (list = new Map()));
    const key = `${names.of(d.root)}:${names.affines(d.index)}`;
    const old = list.get(key);
    // the same position twice: evaluated once, in the smaller scope
    if (old === undefined || d.scope.length < old.scope.length) list.set(key, d);
  };

  const propagate = (node: Node, value: Value, d: Demand): void => {
    const { loops } = d.root;
    const traced = trace(node, value.result, d.index, loops);
    const contracts = facts.get(value)!.contracts && d.root.contraction;
    const over = traced.reductions.flatMap((r) => r.over);
    // a reduction is evaluated once for each position of the loops that its index uses
    const around = new Set(d.index.flatMap((a) => a.terms.map((t) => t.axis)));
    const base = over.length > 0 ? d.scope.filter((axis) => touches(d.root, around, axis)) : d.scope;
    for (const read of traced.reads) {
      const used = new Set(read.index.flatMap((a) => a.terms.map((t) => t.axis)));
      const own = over.filter((axis) => used.has(axis));
      const scope = contracts
        ? [...base.filter((axis) => touches(d.root, used, axis)), ...over]
        : [...base, ...own];
      demand(node.operands[read.operand]!, {
        root: d.root,
        index: read.index,
        scope,
        over: [...d.over, ...own],
        packed: d.packed || contracts,
      });
    }
  };

  const store = (node: Node, value: Value, reason: string): void => {
    stored.set(value, reason);
    if (isConstant(node) || loopOf(node)) return;
    if (node.op.name === "concat") {
      placeParts(node, value);
      return;
    }
    const { axes, index } = indexOver(value.type.shape, (k) => `x${k}`);
    const loops: Loops = { names, digits: makeDigits(names), computed: makeComputed() };
    const root: Root = { value, axes, loops, contraction: false, rowGrid: undefined, full: false };
    const own = facts.get(value)!;
    if (own.contracts) root.contraction = true;
    else if (own.reduces) root.full = true;
    propagate(node, value, { root, index, scope: axes, over: [], packed: false });
  };

  /** Each part of a stored concat is stored, in its range where no other place is asked for. */
  const placeParts = (node: Node, whole: Value): void => {
    const axis = node.attributes["axis"] as number;
    let start: Dim = dim.zero;
    for (const [operand, part] of node.operands.entries()) {
      if (isNode(part.source) && !required.has(part) && !isConstant(part.source)) {
        const often = concats.get(part)! > 1;
        const below = often ? undefined : concatBelow(part);
        const kept = below ?? part;
        if (often) required.set(kept, "is a part of several concats");
        else {
          required.set(kept, "is a part of a concat, written into its range");
          const range: Part = { whole, axis, start, operand, as: below && part.type.shape };
          parts.set(kept, range);
          placed.set(whole, [...(placed.get(whole) ?? []), range]);
        }
      }
      start = dim.add(start, part.type.shape[axis]!);
    }
  };

  /** The concat that a part is a coarser view of, where nothing else reads what is between. */
  const concatBelow = (part: Value): Value | undefined => {
    let value = part;
    while (isNode(value.source) && facts.get(value)!.reshape && uses.get(value) === 1)
      value = value.source.operands[0]!;
    if (value === part || !isNode(value.source) || value.source.op.name !== "concat") return undefined;
    const free = uses.get(value) === 1 && !required.has(value) && (concats.get(value) ?? 0) === 0;
    return free && groupAxes(value.type.shape, part.type.shape) ? value : undefined;
  };

  for (const node of graph.nodes.toReversed())
    for (const value of node.results) {
      const list = [...(demands.get(value)?.values() ?? [])];
      const must = required.get(value) ?? (list.length > 0 ? forced.get(value) : undefined);
      if (must !== undefined) {
        store(node, value, must);
        continue;
      }
      if (list.length === 0 || isConstant(node)) continue;
      const reason = reasonToStore(node, value, list);
      if (reason !== undefined) store(node, value, reason);
      else for (const d of list) propagate(node, value, d);
    }

  function reasonToStore(node: Node, value: Value, list: readonly Demand[]): string | undefined {
    const own = facts.get(value)!;
    if (node.op.name === "concat") return "is a concat: each part is written into its range";
    if (own.reduces) return reasonOfReduction(value, own, list, true);
    if (own.view) return undefined;
    if (list.some((d) => d.index.some((a) => a.terms.some((t) => d.root.loops.computed.known.has(t.axis)))))
      return "is read at computed positions";
    const reduction = reductionBefore(node, uses, facts);
    const blocked = reduction && reasonOfReduction(value, facts.get(reduction)!, list, false);
    if (blocked !== undefined) return `ends what ${blocked}`;
    const cost = cumulative.get(value)!;
    // masks of random bits are drawn again rather than kept: the counters are the state
    if (drawn.has(value)) return undefined;
    const count = Math.max(1, roughly(elements(value.type)));
    const evaluations = sum([...distinct(list).values()].map((d) => roughProduct(d.scope) / count));
    const repeated = list.some((d) => d.packed) && evaluations > 2.5;
    const worth = repeated ? 0 : kernelWorth;
    if (evaluations > 1 && evaluations * cost > cost + storeWorth + evaluations + worth && cost >= 1)
      return `costs ${cost} and would be evaluated ${round(evaluations)} times an element`;
    return undefined;
  }

  /** `commit`: where it is inlined, its kernel is marked to hold it. */
  function reasonOfReduction(
    value: Value,
    own: Facts,
    list: readonly Demand[],
    commit: boolean,
  ): string | undefined {
    const kind = own.contracts ? "contraction" : "reduction";
    const roots = new Set(list.map((d) => d.root));
    if (roots.size > 1) return `is a ${kind} that several kernels read`;
    const [first] = list;
    if (list.length > 1) return `is a ${kind} that is read at several positions`;
    const { root, index, over } = first!;
    const used = new Set(index.flatMap((a) => a.terms.map((t) => t.axis)));
    if (over.some((axis) => touches(root, used, axis))) return `is a ${kind} inside another reduction`;
    if (index.some((a) => a.terms.some((t) => root.loops.computed.known.has(t.axis))))
      return "is read at computed positions";
    if (index.some((a, k) => !provedInside(a, value.type.shape[k]!)))
      return `is a ${kind} that is read outside its range`;
    if (root.contraction) return `is a ${kind} in the epilogue of another contraction`;
    const covers = dim.equal(
      dim.product([...used].map((a) => a.size)),
      dim.product(root.axes.map((a) => a.size)),
    );
    if (own.contracts) {
      if (!covers) return "is a contraction that is read more than once an element";
      if (root.full || root.rowGrid) return "is a contraction in a kernel that reduces already";
      if (commit) root.contraction = true;
      return undefined;
    }
    if (covers) {
      if (root.rowGrid) return "is a reduction over less than the rows of its kernel";
      if (commit) root.full = true;
      return undefined;
    }
    if (root.full) return "is a reduction over other loops than those of its kernel";
    const grid = [...used];
    const prefix = prefixOf(root, used);
    if (prefix === undefined || grid.length === 0) return "is a reduction that is not over the end of a row";
    const row = dim.constantOf(dim.product(prefix.rest.map((a) => a.size)));
    if (row !== undefined && row > longestRow) return "is a reduction over a row too long for scratch";
    if (root.rowGrid && !(root.rowGrid.length === grid.length && root.rowGrid.every((a) => used.has(a))))
      return "is a reduction over other rows than those of its kernel";
    if (commit) root.rowGrid = grid;
    return undefined;
  }

  /** One demand for each position pattern: in rows, the loops of different stages run over the same elements. */
  function distinct(list: readonly Demand[]): Map<string, Demand> {
    const patterns = new Map<string, Demand>();
    for (const d of list) {
      const fixed = d.root.rowGrid;
      const text = d.index
        .map((a) => {
          const terms = a.terms.map(
            (t) =>
              `${t.coefficient.key}@${fixed && !fixed.includes(t.axis) ? t.axis.size.key : names.of(t.axis)}`,
          );
          return `${a.constant.key};${terms.sort().join(";")}`;
        })
        .join("|");
      const key = `${names.of(d.root)}:${text}`;
      const old = patterns.get(key);
      if (old === undefined || roughProduct(d.scope) > roughProduct(old.scope)) patterns.set(key, d);
    }
    return patterns;
  }

  return { stored, parts, placed, facts };
}

const round = (n: number): string => (n < 10 ? n.toFixed(1).replace(/\.0$/, "") : Math.round(n).toString());
const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);

/** Whether one of the axes is this loop or a digit of it. */
function touches(root: Root, used: ReadonlySet<LoopAxis>, loop: LoopAxis): boolean {
  return used.has(loop) || [...used].some((a) => root.loops.digits.origin(a).loops.includes(loop));
}

/** The loops after those used, where the used ones are the leading loops of the root (or leading digits of its next one). */
function prefixOf(
  root: Root,
  used: ReadonlySet<LoopAxis>,
): { readonly rest: readonly LoopAxis[] } | undefined {
  let k = 0;
  while (k < root.axes.length && used.has(root.axes[k]!)) k++;
  const left = [...used].filter((a) => !root.axes.slice(0, k).includes(a));
  if (left.length === 0) return { rest: root.axes.slice(k) };
  const next = root.axes[k];
  const origins = left.map((a) => root.loops.digits.origin(a));
  if (next === undefined || origins.some(({ loops }) => loops.length !== 1 || loops[0] !== next))
    return undefined;
  return Math.max(...origins.map(({ at }) => at)) === left.length - 1
    ? { rest: root.axes.slice(k) }
    : undefined;
}

/** Values made of random bits and numbers alone: masks and noise. */
function drawnFor(graph: Graph): Set<Value> {
  const drawn = new Set<Value>();
  const number = (v: Value): boolean => dim.constantOf(elements(v.type)) === 1;
  const same = new Set<Value>();
  for (const node of graph.nodes) {
    const plain = node.operands.every((o) => drawn.has(o) || number(o) || same.has(o));
    const bits = node.op.name === "random_bits" || node.operands.some((o) => drawn.has(o));
    for (const value of node.results) if (plain) (bits ? drawn : same).add(value);
  }
  return drawn;
}

function countUses(graph: Graph): Map<Value, number> {
  const uses = new Map<Value, number>();
  const use = (v: Value): void => void uses.set(v, (uses.get(v) ?? 0) + 1);
  for (const node of graph.nodes) new Set(node.operands).forEach(use);
  for (const { value } of graph.outputs) use(value);
  for (const { value } of graph.writes) use(value);
  return uses;
}

/** The reduction that ends in this elementwise value, where nothing else reads what is between. */
function reductionBefore(
  node: Node,
  uses: ReadonlyMap<Value, number>,
  facts: ReadonlyMap<Value, Facts>,
): Value | undefined {
  for (const operand of node.operands) {
    if (!isNode(operand.source) || uses.get(operand) !== 1) continue;
    if (elementsDiffer(operand, node.results[0]!)) continue;
    const found = facts.get(operand)!.reduces ? operand : reductionBefore(operand.source, uses, facts);
    if (found) return found;
  }
  return undefined;
}

const elementsDiffer = (a: Value, b: Value): boolean => !dim.equal(elements(a.type), elements(b.type));

/** Instructions of a value and of all that is evaluated with it, down to inputs and reductions. */
function cumulativeCosts(graph: Graph, facts: ReadonlyMap<Value, Facts>): Map<Value, number> {
  const costs = new Map<Value, number>();
  const counts = new Map<Value, number>();
  const countOf = (v: Value): number => {
    let count = counts.get(v);
    if (count === undefined) counts.set(v, (count = roughly(elements(v.type))));
    return count;
  };
  for (const node of graph.nodes)
    for (const value of node.results) {
      const seen = new Set<Value>();
      let left = dearest;
      const collect = (v: Value): number => {
        if (left < 0 || seen.has(v) || !isNode(v.source)) return 0;
        seen.add(v);
        const own = facts.get(v)!;
        // stored, so that reading it is a load
        if (own.reduces || v.source.op.name === "concat" || loopOf(v.source)) return 0;
        left -= own.cost;
        // what has far fewer elements is evaluated outside the loops over these
        const near = v.source.operands.filter((o) => 4 * countOf(o) > countOf(v));
        return own.cost + sum(near.map(collect));
      };
      const own = facts.get(value)!;
      costs.set(value, own.reduces ? own.cost : collect(value));
    }
  return costs;
}
