/** What no carry needs, done for all steps after a loop; and carries that only add up, as sums over all steps. */
import { numbersAttribute } from "../../ir/attribute.ts";
import { graphBuilder } from "../../ir/builder.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import { isNode } from "../../ir/graph.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { loopAttributes } from "../../ir/loop.ts";
import type { Loop } from "../../ir/loop.ts";
import type { Attributes } from "../../ir/op.ts";
import { neededNodes, valuesBehind } from "../../ir/reach.ts";
import { copyNodes } from "../../ir/rewrite.ts";
import * as build from "../../ops/build.ts";
import { attributesOf, mapsOf } from "../../ops/index-maps.ts";
import { finishStep } from "../../ops/make-loop.ts";
import { views } from "../../ops/views.ts";
import { forAllSteps, nodeOutside } from "./all-steps.ts";
import type { Outside } from "./all-steps.ts";

/** A value made after the loop was emitted. */
interface Later {
  readonly stacked: boolean;
  make(): Value;
}

function outsideOf(later: Later): Outside {
  return { value: later.make(), stacked: later.stacked };
}

/** Attributes of a contraction whose first result axis are the steps: these become the first of the loops that are summed over. */
function summedOverSteps(wide: Attributes): Attributes {
  const { axes, result, maps } = mapsOf(wide);
  const turn = <T>(list: readonly T[]): T[] => [...list.slice(1, result), list[0]!, ...list.slice(result)];
  return attributesOf({
    axes: turn(axes),
    result: result - 1,
    maps: maps.map((operand) => operand.map((map) => ({ ...map, coefficients: turn(map.coefficients) }))),
  });
}

/** The term of a carry that is nothing but a sum over the steps. */
function termOf(loop: Loop, carry: number): Value | undefined {
  const { body } = loop;
  const input = body.inputs[carry]!;
  const next = body.outputs[carry]!.value;
  const readers = body.nodes.filter((node) => node.operands.includes(input));
  const [only] = readers;
  const others = body.outputs.some(({ value }, i) => value === input || (i !== carry && value === next));
  if (readers.length !== 1 || others || only !== next.source || only?.op.name !== "add") return undefined;
  if (body.nodes.some((node) => node.operands.includes(next))) return undefined;
  const [x, y] = only.operands;
  return x === input ? (y === input ? undefined : y) : x;
}

/** The loop that is left and what is done behind it: the results of the whole. */
export function sink(b: GraphBuilder, loop: Loop, operands: readonly Value[], owner: Node): readonly Value[] {
  const { body, carries, sequences } = loop;
  const terms = body.outputs.slice(0, carries).map((_, i) => termOf(loop, i));
  // what the other carries need
  const nexts = body.outputs.slice(0, carries).map(({ value }) => value);
  const core = valuesBehind(nexts.filter((_, i) => !terms[i]));

  const kept: Value[] = [];
  let results: readonly Value[] = [];
  /** results of the new loop: its carries, then `kept` */
  let firstKept = 0;
  const keep = (value: Value): Later => {
    let at = kept.indexOf(value);
    if (at < 0) at = kept.push(value) - 1;
    return { stacked: true, make: () => results[firstKept + at]! };
  };
  const inputAt = new Map(body.inputs.map((input, i) => [input, i]));
  const known = new Map<Value, Later>();
  const later = (value: Value): Later => {
    const old = known.get(value);
    if (old) return old;
    const made = makeLater(value);
    known.set(value, made);
    return made;
  };
  const makeLater = (value: Value): Later => {
    const at = inputAt.get(value);
    if (at !== undefined && at >= carries)
      return { stacked: at < carries + sequences, make: () => operands[at]! };
    if (core.has(value) || at !== undefined) return keep(value);
    const node = value.source as Node;
    if (!node.op.stacked) return keep(value);
    const given = node.operands.map(later);
    let made: readonly Value[] | undefined;
    return {
      stacked: given.some((each) => each.stacked),
      make() {
        made ??= nodeOutside(b, node, given.map(outsideOf), loop.length);
        return made![value.result]!;
      },
    };
  };
  const overSteps = (value: Value): (() => Value) | undefined => {
    const all = later(value);
    return all.stacked ? () => build.reduceSum(b, all.make(), [0]) : undefined;
  };
  /** The sum of a value over all steps; undefined where the steps have to add it up themselves. */
  const summed = (value: Value): (() => Value) | undefined => {
    const { source } = value;
    if (core.has(value) || !isNode(source)) return overSteps(value);
    const { op, attributes } = source;
    if (!op.stacked) return undefined;
    if (op.name === "add") {
      const parts = source.operands.map(summed);
      return parts.every((part) => part !== undefined)
        ? () => parts.map((part) => part()).reduce((x, y) => build.add(b, x, y))
        : undefined;
    }
    if (linearViews.has(op.name)) {
      const [part] = source.operands.map(summed);
      return part && (() => b.emit(op, [part()], attributes));
    }
    const given = source.operands.map(later);
    if (!given.some((each) => each.stacked)) return undefined;
    if (op.name === "index")
      return () => {
        const values = given.map((each) => each.make());
        b.origin = source.origin;
        const has = given.map((each) => each.stacked);
        return b.emit(op, values, summedOverSteps(op.stacked!(attributes, loop.length, has)!));
      };
    if (op.name === "reduce" && attributes["combine"] === "sum" && given[0]!.stacked)
      return () => {
        b.origin = source.origin;
        const axes = numbersAttribute(attributes, "axes");
        return build.reduceSum(b, given[0]!.make(), [0, ...axes.map((axis) => axis + 1)]);
      };
    return overSteps(value);
  };

  /** Whether computing it outside would take a sum out of the steps. */
  const worth = (value: Value): boolean => {
    if (core.has(value) || !isNode(value.source)) return false;
    const { op, operands: given } = value.source;
    return op.stacked !== undefined && (!op.cheap || given.some(worth));
  };
  const sums = terms.map((term) => term && summed(term));
  const stays = sums.flatMap((sum, i) => (sum ? [] : [i]));
  const yielded = body.outputs.slice(carries).map(({ value }) => value);
  if (stays.length === carries && !yielded.some(worth))
    return b.node(owner.op, operands, loopAttributes(loop));
  const yields = yielded.map((value) => (worth(value) ? later(value) : keep(value)));

  const next = graphBuilder();
  const now = new Map<Value, Value>();
  const order = [...stays, ...body.inputs.map((_, i) => i).slice(carries)];
  order.forEach((i, at) => {
    const value = body.inputs[i]!;
    now.set(value, next.input(`x${at}`, "input", value.type));
  });
  const needed = [...stays.map((i) => body.outputs[i]!.value), ...kept];
  copyNodes(next, neededNodes(body.nodes, needed), now);
  firstKept = stays.length;
  b.origin = owner.origin;
  // where all went out there are no steps any more
  if (needed.length > 0) {
    const steps: Loop = {
      ...loop,
      carries: stays.length,
      body: finishStep(
        next,
        needed.map((value) => now.get(value)!),
      ),
    };
    results = b.node(
      owner.op,
      order.map((i) => operands[i]!),
      loopAttributes(steps),
    );
  }
  const finals = sums.map((sum, i) => {
    if (!sum) return results[stays.indexOf(i)]!;
    const total = sum();
    b.origin = owner.origin;
    return build.add(b, operands[i]!, total);
  });
  const spread = yields.map((each) => forAllSteps(b, outsideOf(each), loop.length));
  b.origin = owner.origin;
  return [...finals, ...spread];
}

/** Views that give every element of their operand a place of its own, or leave it out: a sum goes through them. */
const linearViews: ReadonlySet<string> = new Set([...views, "pad"]);
