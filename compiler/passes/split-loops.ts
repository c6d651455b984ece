/**
 * split-loops: work that need not wait for a loop's steps is done for all steps at once. Before the loop: sums that read no
 * carry. After it: sums that no carry needs, and weight gradients, whose terms are then summed over all steps in one go.
 * What is between is read and kept step by step. A contraction over a concat of which one part reads no carry is first
 * taken apart, so that this part can go.
 */
import * as dim from "../ir/dim.ts";
import { graphBuilder } from "../ir/builder.ts";
import { isNode } from "../ir/graph.ts";
import { loopAttributes, loopOf } from "../ir/loop.ts";
import { rewrite, rewriteBodies } from "../ir/rewrite.ts";
import { attributesOf, mapsOf } from "../ops/index-maps.ts";
import { numberAttribute, numbersAttribute } from "../ir/attribute.ts";
import * as build from "../ops/build.ts";
import { dimsOf } from "../ops/make-loop.ts";
import { deadCode } from "./dead-code.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Loop } from "../ir/loop.ts";
import type { Pass } from "./pass.ts";

export const splitLoops: Pass = {
  name: "split-loops",
  summary: "Does for all steps at once what need not wait for the steps of a loop.",
  loops: true,
  reorders: true,
  run(graph) {
    if (!graph.nodes.some(loopOf)) return graph;
    const inner = rewriteBodies(graph, (body) => deadCode.run(splitLoops.run(body)));
    return rewrite(inner, (node, operands, builder) => {
      const loop = loopOf(node);
      if (!loop) return undefined;
      const apart = { ...loop, body: takeConcatsApart(loop) };
      const early = hoist(builder, apart, operands, node);
      return sink(builder, early.loop, early.operands, node);
    });
  },
};

/** A value outside the loop: the same for all steps, or with all steps along a new first axis. */
interface Outside {
  readonly value: Value;
  readonly stacked: boolean;
}

/** The node for all steps at once; undefined where its op has no such form. */
function stackedNode(
  b: GraphBuilder,
  node: Node,
  operands: readonly Outside[],
  length: dim.Dim,
): readonly Value[] | undefined {
  const { op, attributes } = node;
  if (!op.stacked) return undefined;
  b.origin = node.origin;
  const has = operands.map((operand) => operand.stacked);
  const direct = op.stacked(attributes, length, has);
  if (direct)
    return b.node(
      op,
      operands.map(({ value }) => value),
      direct,
    );
  const all = op.stacked(
    attributes,
    length,
    operands.map(() => true),
  );
  if (!all) return undefined;
  const values = operands.map(({ value, stacked }) => {
    if (stacked) return value;
    const shape = [length, ...value.type.shape];
    return build.expandTo(
      b,
      value,
      shape,
      value.type.shape.map((_, i) => i + 1),
    );
  });
  return b.node(op, values, all);
}

// ---------------------------------------------------------------- contractions over concats

/** Values that no carry is needed for. */
function earlyValues(loop: Loop): Set<Value> {
  const early = new Set<Value>(loop.body.inputs.slice(loop.carries));
  for (const node of loop.body.nodes)
    if (node.operands.every((operand) => early.has(operand)))
      for (const result of node.results) early.add(result);
  return early;
}

/** sum over k of concat(x, h)[k] * w[k] = sum of x[k] * w[k] + sum of h[k] * w[n + k], where x is early and h is not. */
function takeConcatsApart(loop: Loop): Graph {
  const early = earlyValues(loop);
  return rewrite(loop.body, (node, operands, b) => {
    if (node.op.name !== "index") return undefined;
    const at = node.operands.findIndex(
      ({ source }) =>
        isNode(source) &&
        source.op.name === "concat" &&
        source.operands.some((part) => early.has(part)) &&
        source.operands.some((part) => !early.has(part)),
    );
    if (at < 0) return undefined;
    const { axes, result, maps } = mapsOf(node.attributes);
    const whole = operands[at]!.source;
    if (!isNode(whole)) return undefined;
    const axis = numberAttribute(whole.attributes, "axis");
    const map = maps[at]![axis]!;
    const loops = map.coefficients.flatMap((c, k) => (c === 0 ? [] : [k]));
    const [own] = loops;
    const plain = own !== undefined && loops.length === 1 && own >= result && map.coefficients[own] === 1;
    if (!plain || !dim.equal(map.constant, dim.zero)) return undefined;
    let start: dim.Dim = dim.zero;
    const sums = whole.operands.map((part) => {
      const size = part.type.shape[axis]!;
      const from = start;
      start = dim.add(start, size);
      const shifted = maps.map((operand, m) =>
        m === at
          ? operand
          : operand.map((each) => ({
              ...each,
              constant: dim.add(each.constant, dim.multiply(dim.constant(each.coefficients[own]!), from)),
            })),
      );
      return b.emit(
        node.op,
        operands.with(at, part),
        attributesOf({ axes: axes.with(own, size), result, maps: shifted }),
      );
    });
    return [sums.reduce((x, y) => build.add(b, x, y))];
  });
}

// ---------------------------------------------------------------- before the loop

interface Split {
  readonly loop: Loop;
  readonly operands: readonly Value[];
}

function hoist(b: GraphBuilder, loop: Loop, operands: readonly Value[], owner: Node): Split {
  const { body, carries, sequences } = loop;
  const known = new Map<Value, Outside | undefined>();
  body.inputs.forEach((input, i) => {
    if (i < carries) known.set(input, undefined);
    else known.set(input, { value: operands[i]!, stacked: i < carries + sequences });
  });
  const outside = (value: Value): Outside | undefined => {
    if (known.has(value)) return known.get(value);
    const node = value.source as Node;
    const given = node.operands.map(outside);
    const present = given.filter((each) => each !== undefined);
    let results: readonly Value[] | undefined;
    const stacked = present.some((each) => each.stacked);
    if (present.length === given.length) {
      b.origin = node.origin;
      results = stacked
        ? stackedNode(b, node, present, loop.length)
        : b.node(
            node.op,
            present.map((each) => each.value),
            node.attributes,
          );
    }
    node.results.forEach((result, i) => known.set(result, results && { value: results[i]!, stacked }));
    return known.get(value);
  };
  const early = earlyValues(loop);
  const moved = new Map<Value, Outside>();
  for (const node of body.nodes) {
    if (node.op.cheap || !node.results.every((result) => early.has(result))) continue;
    for (const result of node.results) {
      const found = outside(result);
      if (found) moved.set(result, found);
    }
  }
  b.origin = owner.origin;
  if (moved.size === 0) return { loop, operands };

  const next = graphBuilder();
  const now = new Map<Value, Value>();
  const given: Value[] = [];
  let count = 0;
  const input = (value: Value, from: Value): void => {
    now.set(value, next.input(`x${count++}`, "input", value.type));
    given.push(from);
  };
  const hoisted = [...moved];
  body.inputs.slice(0, carries + sequences).forEach((value, i) => input(value, operands[i]!));
  for (const [value, { value: from, stacked }] of hoisted) if (stacked) input(value, from);
  const ends = count;
  body.inputs
    .slice(carries + sequences)
    .forEach((value, i) => input(value, operands[carries + sequences + i]!));
  for (const [value, { value: from, stacked }] of hoisted) if (!stacked) input(value, from);
  copyNodes(next, body.nodes, now);
  const graph = finishBody(
    next,
    body.outputs.map(({ value }) => now.get(value)!),
  );
  return { loop: { ...loop, sequences: ends - carries, body: graph }, operands: given };
}

/** Nodes whose results are not there yet, over the values that are. */
function copyNodes(b: GraphBuilder, nodes: readonly Node[], now: Map<Value, Value>): void {
  for (const node of nodes) {
    if (node.results.every((result) => now.has(result))) continue;
    b.origin = node.origin;
    const results = b.node(
      node.op,
      node.operands.map((operand) => now.get(operand)!),
      node.attributes,
    );
    node.results.forEach((result, i) => {
      if (!now.has(result)) now.set(result, results[i]!);
    });
  }
}

function finishBody(b: GraphBuilder, outputs: readonly Value[]): Graph {
  return b.finish({
    name: "step",
    dims: dimsOf(b.inputs, b.nodes),
    outputs: outputs.map((value, i) => ({ name: `y${i}`, value })),
    writes: [],
  });
}

// ---------------------------------------------------------------- after the loop

/** A value made after the loop was emitted. */
interface Later {
  readonly stacked: boolean;
  make(): Value;
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

function sink(b: GraphBuilder, loop: Loop, operands: readonly Value[], owner: Node): readonly Value[] {
  const { body, carries, sequences } = loop;
  const terms = body.outputs.slice(0, carries).map((_, i) => termOf(loop, i));
  // what the other carries need
  const core = new Set<Value>();
  const walk = body.outputs.slice(0, carries).flatMap(({ value }, i) => (terms[i] ? [] : [value]));
  for (let value = walk.pop(); value; value = walk.pop()) {
    if (core.has(value)) continue;
    core.add(value);
    if (isNode(value.source)) walk.push(...value.source.operands);
  }

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
    const stacked = given.some((each) => each.stacked);
    let made: readonly Value[] | undefined;
    return {
      stacked,
      make() {
        const values = given.map((each): Outside => ({ value: each.make(), stacked: each.stacked }));
        b.origin = node.origin;
        made ??= stacked
          ? stackedNode(b, node, values, loop.length)
          : b.node(
              node.op,
              values.map((each) => each.value),
              node.attributes,
            );
        return made![value.result]!;
      },
    };
  };
  /** The sum of a value over all steps. */
  const summed = (value: Value): (() => Value) | undefined => {
    const { source } = value;
    if (core.has(value) || !isNode(source) || !source.op.stacked) {
      if (!core.has(value) && isNode(source)) return undefined;
      const all = later(value);
      return all.stacked ? () => build.reduceSum(b, all.make(), [0]) : undefined;
    }
    const { op, attributes } = source;
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
    const stacked = (): Outside[] => given.map((each) => ({ value: each.make(), stacked: each.stacked }));
    if (op.name === "index")
      return () => {
        const values = stacked();
        b.origin = source.origin;
        const wide = op.stacked!(
          attributes,
          loop.length,
          values.map((each) => each.stacked),
        )!;
        const { axes, result, maps } = mapsOf(wide);
        // the steps become the first of the loops that are summed over
        const turn = <T>(list: readonly T[]): T[] => [
          ...list.slice(1, result),
          list[0]!,
          ...list.slice(result),
        ];
        return b.emit(
          op,
          values.map((each) => each.value),
          attributesOf({
            axes: turn(axes),
            result: result - 1,
            maps: maps.map((operand) =>
              operand.map((map) => ({ ...map, coefficients: turn(map.coefficients) })),
            ),
          }),
        );
      };
    if (op.name === "reduce" && attributes["combine"] === "sum" && given[0]!.stacked)
      return () => {
        b.origin = source.origin;
        const axes = numbersAttribute(attributes, "axes");
        return build.reduceSum(b, given[0]!.make(), [0, ...axes.map((axis) => axis + 1)]);
      };
    const all = later(value);
    return all.stacked ? () => build.reduceSum(b, all.make(), [0]) : undefined;
  };

  /** Whether computing it outside would take a sum out of the steps. */
  const worth = (value: Value): boolean => {
    if (core.has(value) || !isNode(value.source)) return false;
    const { op, operands: given } = value.source;
    return op.stacked !== undefined && (!op.cheap || given.some(worth));
  };
  const sums = terms.map((term) => term && summed(term));
  const stays = sums.flatMap((sum, i) => (sum ? [] : [i]));
  const yields = body.outputs.slice(carries).map(({ value }) => (worth(value) ? later(value) : keep(value)));
  if (stays.length === carries && body.outputs.slice(carries).every(({ value }) => !worth(value)))
    return b.node(owner.op, operands, loopAttributes(loop));

  const next = graphBuilder();
  const now = new Map<Value, Value>();
  const order = [...stays, ...body.inputs.map((_, i) => i).slice(carries)];
  order.forEach((i, at) => {
    const value = body.inputs[i]!;
    now.set(value, next.input(`x${at}`, "input", value.type));
  });
  const needed = [...stays.map((i) => body.outputs[i]!.value), ...kept];
  copyNodes(next, neededNodes(body, needed), now);
  firstKept = stays.length;
  b.origin = owner.origin;
  // where all went out there are no steps any more
  const emitSteps = (): readonly Value[] =>
    b.node(
      owner.op,
      order.map((i) => operands[i]!),
      loopAttributes({
        ...loop,
        carries: stays.length,
        body: finishBody(
          next,
          needed.map((value) => now.get(value)!),
        ),
      }),
    );
  results = needed.length === 0 ? [] : emitSteps();
  const finals = sums.map((sum, i) => {
    if (!sum) return results[stays.indexOf(i)]!;
    const total = sum();
    b.origin = owner.origin;
    return build.add(b, operands[i]!, total);
  });
  const spread = yields.map((each) => {
    const value = each.make();
    if (each.stacked) return value;
    return build.expandTo(
      b,
      value,
      [loop.length, ...value.type.shape],
      value.type.shape.map((_, i) => i + 1),
    );
  });
  b.origin = owner.origin;
  return [...finals, ...spread];
}

/** Views that give every element of their operand a place of its own, or leave it out: a sum goes through them. */
const linearViews: ReadonlySet<string> = new Set(["reorder", "split", "merge", "slice", "pad", "expand"]);

function neededNodes(body: Graph, values: readonly Value[]): readonly Node[] {
  const wanted = new Set(values);
  const nodes: Node[] = [];
  for (const node of body.nodes.toReversed()) {
    if (!node.results.some((result) => wanted.has(result))) continue;
    nodes.push(node);
    for (const operand of node.operands) wanted.add(operand);
  }
  return nodes.reverse();
}
