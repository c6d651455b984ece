/**
 * Whether a program that sees a few new positions at a time computes what the program of whole sequences does: a proof op
 * by op, on the graph of the step program.
 *
 * Along the axis of new positions T every op must be pointwise. The axes S of kept entries are longer than what was
 * written, and at a position t the entries after it differ from those of a whole sequence that ends there, so a reduction
 * along S must not see them: it is a maximum of what `causal` masked with a very negative number, or a sum of what it masked
 * with 0, as a softmax of the former is.
 */
import { numberAttribute } from "../../ir/attribute.ts";
import type { Dim } from "../../ir/dim.ts";
import { symbolsOf } from "../../ir/dim.ts";
import { isNode } from "../../ir/graph.ts";
import { loopOf, partsOfLoop } from "../../ir/loop.ts";
import type { Loop } from "../../ir/loop.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { mapsOf } from "../../ops/index-maps.ts";
import { mentions, rowAxis } from "../../ops/row-axis.ts";
import type { RowAxis } from "../../ops/row-axis.ts";
import type { StepBuild } from "./step.ts";

/** What stands where a position would look at a later one: "causal" is the mask itself, false there. */
type Hidden = "causal" | "lowest" | "zero";

/** numbers below this are nothing after an exponential */
const lowest = -1e29;

export interface Obstacle {
  readonly node: Node;
  /** the axis it looks along as a whole: that of new positions, or that of kept entries */
  readonly along: "new" | "kept";
}

/** All nodes at which the proof fails; what they give is taken as pointwise. */
export function obstacles(nodes: readonly Node[], step: StepBuild): readonly Obstacle[] {
  const found: Obstacle[] = [];
  const [time] = symbolsOf(step.axis);
  const [entries] = symbolsOf(step.soFar);
  const fresh = new Map<Value, RowAxis>();
  const kept = new Map<Value, RowAxis>();
  const hidden = new Map<Value, Hidden>();
  const updates = new Set(step.kept.map(({ next }) => next));
  for (const node of nodes) {
    const loop = loopOf(node);
    if (loop && mentions(loop.length, time!)) {
      const along = scanned(node, loop, fresh, kept, time!, entries!);
      if (along) found.push({ node, along });
      for (const result of node.results) {
        // a carry is what it is after the last of the new positions: only the next call may see it
        fresh.set(result, result.result < loop.carries ? "mixed" : 0);
        kept.set(result, "none");
      }
      continue;
    }
    for (const result of node.results) {
      const axisOf = (known: ReadonlyMap<Value, RowAxis>, size: string) =>
        node.operands.map((operand) => known.get(operand) ?? axisOfInput(operand, size));
      const place = (size: string): RowAxis => axisOfInput(result, size);
      // a kept value has no new positions, and all entries along the axis that was written
      if (updates.has(result)) {
        fresh.set(result, "none");
        kept.set(result, node.op.name === "update_slice" ? numberAttribute(node.attributes, "axis") : "none");
        continue;
      }
      const isPosition = node.op.name === "iota";
      const t = isPosition ? place(time!) : rowAxis(node, axisOf(fresh, time!), result, time!);
      if (t === "mixed") found.push({ node, along: "new" });
      fresh.set(result, t === "mixed" ? place(time!) : t);
      const operands = axisOf(kept, entries!);
      const s = isPosition ? place(entries!) : rowAxis(node, operands, result, entries!);
      const sound = s !== "mixed" || seesOnlyEarlier(node, operands, hidden);
      if (!sound && t !== "mixed") found.push({ node, along: "kept" });
      kept.set(result, s === "mixed" ? place(entries!) : s);
      const how = hiddenAfter(node, result, hidden, step);
      if (how) hidden.set(result, how);
    }
  }
  return found;
}

/** What a scan along new positions looks at besides the position it is at and those before; undefined where nothing. */
function scanned(
  node: Node,
  loop: Loop,
  fresh: ReadonlyMap<Value, RowAxis>,
  kept: ReadonlyMap<Value, RowAxis>,
  time: string,
  entries: string,
): Obstacle["along"] | undefined {
  const { sequences } = partsOfLoop(loop, node.operands);
  const pointwise = node.operands.every((operand) => {
    const axis = fresh.get(operand) ?? axisOfInput(operand, time);
    return axis === (sequences.includes(operand) ? 0 : "none");
  });
  if (loop.reverse || !pointwise) return "new";
  return node.operands.some((operand) => (kept.get(operand) ?? axisOfInput(operand, entries)) !== "none")
    ? "kept"
    : undefined;
}

/** The axis that is this size as a whole; an input that has it otherwise is "mixed". */
function axisOfInput({ type }: Value, size: string): RowAxis {
  const places = type.shape.flatMap((each: Dim, i) => (mentions(each, size) ? [i] : []));
  return places.length === 0 ? "none" : places.length === 1 ? places[0]! : "mixed";
}

/** A reduction along kept entries of which it takes in none after the position. */
function seesOnlyEarlier(
  node: Node,
  operands: readonly RowAxis[],
  hidden: ReadonlyMap<Value, Hidden>,
): boolean {
  const { op, attributes } = node;
  const [first] = node.operands;
  if (op.name === "reduce")
    return hidden.get(first!) === (attributes["combine"] === "max" ? "lowest" : "zero");
  if (op.name !== "index" || !node.operands.some((operand) => hidden.get(operand) === "zero")) return false;
  // all operands that have entries read entry s for the same s
  const { maps } = mapsOf(attributes);
  const loops = operands.flatMap((axis, i) => {
    if (typeof axis !== "number") return [];
    const { coefficients } = maps[i]![axis]!;
    const used = coefficients.flatMap((c, loop) => (c === 0 ? [] : [loop]));
    return used.length === 1 && coefficients[used[0]!] === 1 ? used : [-1];
  });
  return loops.every((loop) => loop >= 0 && loop === loops[0]);
}

const moving: ReadonlySet<string> = new Set(["expand", "reorder", "split", "merge", "cast", "detach"]);

function hiddenAfter(
  { op, operands }: Node,
  result: Value,
  hidden: ReadonlyMap<Value, Hidden>,
  step: StepBuild,
): Hidden | undefined {
  if (step.causal.has(result)) return "causal";
  const [x, y, z] = operands.map((operand) => hidden.get(operand));
  if (moving.has(op.name)) return x;
  switch (op.name) {
    case "and":
      return x === "causal" || y === "causal" ? "causal" : undefined;
    case "select": {
      const other = x === "causal" ? numberOf(operands[2]!) : undefined;
      if (other !== undefined) return other <= lowest ? "lowest" : other === 0 ? "zero" : undefined;
      return y !== undefined && y === z ? y : undefined;
    }
    case "sub":
      return x === "lowest" && y === undefined ? "lowest" : undefined;
    case "add":
      return [x, y].includes("lowest") && (x ?? "lowest") === (y ?? "lowest") ? "lowest" : undefined;
    case "exp":
      return x === "lowest" ? "zero" : undefined;
    case "mul":
      return x === "zero" || y === "zero" ? "zero" : undefined;
    case "div":
      return x === "zero" ? "zero" : undefined;
    default:
      return undefined;
  }
}

/** The one number that a value is everywhere, where it is written in the program. */
function numberOf(value: Value): number | undefined {
  if (!isNode(value.source)) return undefined;
  const { op, operands, attributes } = value.source;
  if (op.name === "expand") return numberOf(operands[0]!);
  const constant = op.name === "constant" ? attributes["value"] : undefined;
  return typeof constant === "object" && "data" in constant && constant.data instanceof Float64Array
    ? constant.data.length === 1
      ? constant.data[0]
      : undefined
    : undefined;
}
