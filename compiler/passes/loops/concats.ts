/** Contractions over a concat of which one part reads no carry, as sums of contractions over its parts. */
import { numberAttribute } from "../../ir/attribute.ts";
import * as dim from "../../ir/dim.ts";
import { isNode } from "../../ir/graph.ts";
import type { Graph } from "../../ir/graph.ts";
import type { Loop } from "../../ir/loop.ts";
import { rewrite } from "../../ir/rewrite.ts";
import * as build from "../../ops/build.ts";
import { attributesOf, mapsOf } from "../../ops/index-maps.ts";
import { earlyValues } from "./hoist.ts";

/** sum over k of concat(x, h)[k] * w[k] = sum of x[k] * w[k] + sum of h[k] * w[n + k], where x is early and h is not. */
export function takeConcatsApart(loop: Loop): Graph {
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
