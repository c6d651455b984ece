/** Random loops: cells with one or two carries over a sequence, with weights, sums over all steps and several yields. */
import * as dim from "../../compiler/ir/dim.ts";
import * as build from "../../compiler/ops/build.ts";
import { makeLoop, stepInput } from "../../compiler/ops/make-loop.ts";
import type { Value } from "../../compiler/ir/graph.ts";
import type { Recipe } from "./recipes.ts";

export const loopRecipe: Recipe = (k) => {
  const { b, r } = k;
  const from = k.pick("f32", ({ length, 0: steps }) => length >= 1 && length <= 3 && k.known(steps!) >= 1);
  const [length, ...shape] = from.type.shape;
  const features = shape.at(-1) && dim.constantOf(shape.at(-1)!);
  const dense = features !== undefined && features >= 1 && features <= 6 && r.chance(0.7);
  const hidden = r.pick([1, 2, 3]);
  const carried = dense ? [...shape.slice(0, -1), dim.constant(hidden)] : shape;
  const start = r.chance(0.5) ? build.full(b, 0.5, carried) : k.pick("f32", carried);
  const kernel = dense ? k.weight([features + hidden, hidden]) : undefined;
  const second = k.pick("f32", []);
  const whole = k.like("f32", carried);

  const mark = b.nodes.length;
  const type = { dtype: "f32", shape: carried } as const;
  const x = stepInput("x", { dtype: "f32", shape });
  const c = stepInput("c", type);
  const total = stepInput("total", second.type);
  const joined = (): Value => {
    if (!kernel) return build.add(b, x, build.scale(b, c, 0.5));
    const both = build.concat(b, [x, c], shape.length - 1);
    return build.contract(b, both, kernel, { inner: [[shape.length - 1, 0]] });
  };
  const sum = joined();
  const shifted = r.chance(0.5) ? build.add(b, sum, whole) : sum;
  const next = r.chance(0.5) ? build.tanh(b, shifted) : build.sigmoid(b, build.mul(b, shifted, shifted));
  const all = carried.map((_, axis) => axis);
  const term = build.scale(b, build.reduceSum(b, build.mul(b, next, c), all), 0.1);
  const nextTotal = r.chance(0.5)
    ? build.add(b, total, term)
    : build.sub(b, term, build.scale(b, total, 0.3));
  const yields = [next, build.mul(b, next, c), term, x, whole, total].filter(() => r.chance(0.5));
  const { finals, yields: stacked } = makeLoop(b, mark, {
    length: length!,
    reverse: r.chance(0.4),
    carries: [
      { input: c, start, next },
      { input: total, start: second, next: nextTotal },
    ],
    sequences: [{ input: x, from }],
    yields,
    keep: true,
  });
  return [...finals, ...stacked].filter(() => r.chance(0.8));
};
