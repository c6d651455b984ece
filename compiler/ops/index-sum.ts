/** index: a sum of products of operands that are read through affine maps: contractions, convolutions, pooling sums. */
import { constant } from "../ir/dim.ts";
import * as dim from "../ir/dim.ts";
import { defineOp } from "../ir/op.ts";
import { apply } from "../ir/scalar.ts";
import { stridesOf, tensor } from "../ir/tensor.ts";
import { transposeIndex } from "./index-gradient.ts";
import { affineAt, attributesOf, axisMap, mapsOf } from "./index-maps.ts";
import type { Tensor } from "../ir/tensor.ts";
import type { Affine } from "../ir/scalar.ts";

/** The product of all operands at one position of all loops; 0 for an operand that is read outside. */
function productAt(
  operands: readonly Tensor[],
  maps: readonly (readonly { readonly constant: number; readonly coefficients: readonly number[] }[])[],
  loops: readonly number[],
): number {
  let product = 1;
  operands.forEach((operand, m) => {
    let flat = 0;
    let inside = true;
    maps[m]!.forEach(({ constant: start, coefficients }, axis) => {
      let at = start;
      for (let loop = 0; loop < loops.length; loop++) at += coefficients[loop]! * loops[loop]!;
      const size = operand.shape[axis]!;
      if (at < 0 || at >= size) inside = false;
      flat = flat * size + at;
    });
    product *= inside ? operand.data[flat]! : 0;
  });
  return product;
}

export const index = defineOp({
  name: "index",
  summary:
    "The sum, over all loops that are not axes of the result, of the product of the operands, each read at positions that are affine in the loops; a read outside an operand is 0.",
  operands: ["...factors"],
  attributes: {
    axes: "sizes of all loops",
    result: "how many of them, from the first, are axes of the result",
    maps: "for each operand, for each of its axes, the position: {constant, coefficients: one a loop}",
  },
  infer(operands, attributes) {
    const { axes, result, maps } = mapsOf(attributes);
    if (operands.length === 0) return { mismatch: "there is nothing to multiply" };
    if (operands.some((type) => type.dtype !== "f32")) return { mismatch: "index takes f32" };
    if (maps.length !== operands.length) return { mismatch: "maps must have an entry for each operand" };
    if (result < 0 || result > axes.length) return { mismatch: "result must be at most the number of axes" };
    for (const [m, type] of operands.entries()) {
      if (maps[m]!.length !== type.shape.length)
        return { mismatch: `operand ${m} has ${type.shape.length} axes and ${maps[m]!.length} maps` };
      if (maps[m]!.some(({ coefficients }) => coefficients.length !== axes.length))
        return { mismatch: `a map of operand ${m} does not have one coefficient a loop` };
    }
    return [{ dtype: "f32", shape: axes.slice(0, result) }];
  },
  evaluate(operands, attributes, { results, sizes }) {
    const symbolic = mapsOf(attributes);
    const axes = symbolic.axes.map((size) => dim.evaluate(size, sizes));
    const maps = symbolic.maps.map((operand) =>
      operand.map((map) => ({ constant: dim.evaluate(map.constant, sizes), coefficients: map.coefficients })),
    );
    const out = tensor("f32", results[0]!.shape);
    const total = axes.reduce((a, b) => a * b, 1);
    const summed = axes.slice(symbolic.result).reduce((a, b) => a * b, 1);
    if (total === 0) return [out];
    const last = axes.length - 1;
    const run = last >= symbolic.result ? axes[last]! : 1;
    const strides = operands.map((operand) => stridesOf(operand.shape));
    // how far one step of the last loop moves in each operand
    const steps = maps.map((operand, m) =>
      operand.reduce(
        (sum, { coefficients }, axis) => sum + (coefficients[last] ?? 0) * strides[m]![axis]!,
        0,
      ),
    );
    const loops = axes.map(() => 0);
    const at = operands.map(() => 0);
    for (let flat = 0; flat < total; flat += run) {
      let rest = flat;
      for (let loop = last; loop >= 0; loop--) {
        loops[loop] = rest % axes[loop]!;
        rest = Math.floor(rest / axes[loop]!);
      }
      // a run in which no operand is left at either end is left nowhere: positions are monotone in one loop
      let allInside = true;
      maps.forEach((operand, m) => {
        at[m] = 0;
        operand.forEach(({ constant: start, coefficients }, axis) => {
          let first = start;
          for (let loop = 0; loop < loops.length; loop++) first += coefficients[loop]! * loops[loop]!;
          const end = first + (run > 1 ? coefficients[last]! * (run - 1) : 0);
          const size = operands[m]!.shape[axis]!;
          if (Math.min(first, end) < 0 || Math.max(first, end) >= size) allInside = false;
          at[m]! += first * strides[m]![axis]!;
        });
      });
      let sum = -0; // the neutral element: 0 + -0 would lose the sign
      for (let i = 0; i < run; i++) {
        if (allInside) {
          let product = 1;
          for (let m = 0; m < operands.length; m++) product *= operands[m]!.data[at[m]! + i * steps[m]!]!;
          sum += product;
        } else {
          if (run > 1) loops[last] = i;
          sum += productAt(operands, maps, loops);
        }
      }
      const to = Math.floor(flat / summed);
      out.data[to] = summed === run ? sum : out.data[to]! + sum;
    }
    return [out];
  },
  element(context, attributes) {
    const { axes, result, maps } = mapsOf(attributes);
    const body = (inner: readonly Affine[]) => {
      const loops = [...context.index, ...inner];
      const factors = maps.map((operand, m) =>
        context.read(
          m,
          operand.map((map) => affineAt(map, loops)),
        ),
      );
      return factors.reduce((x, y) => apply("mul", x, y));
    };
    return result === axes.length ? body([]) : context.reduce("sum", axes.slice(result), body);
  },
  gradient({ builder, node, cotangents, wanted }, attributes) {
    const ct = cotangents[0];
    const maps = mapsOf(attributes);
    return node.operands.map((_, which) =>
      ct && wanted(which) ? transposeIndex(builder, maps, node.operands, which, ct) : undefined,
    );
  },
  examples: [
    {
      // a product of matrices
      operands: [tensor("f32", [2, 2], [1, 2, 3, 4]), tensor("f32", [2, 2], [5, 6, 7, 8])],
      attributes: attributesOf({
        axes: [constant(2), constant(2), constant(2)],
        result: 2,
        maps: [
          [axisMap(3, [[0, 1]]), axisMap(3, [[2, 1]])],
          [axisMap(3, [[2, 1]]), axisMap(3, [[1, 1]])],
        ],
      }),
      results: [tensor("f32", [2, 2], [19, 22, 43, 50])],
    },
    {
      // a convolution of stride 2 with one zero before
      operands: [tensor("f32", [5], [1, 2, 3, 4, 5]), tensor("f32", [3], [1, 10, 100])],
      attributes: attributesOf({
        axes: [constant(3), constant(3)],
        result: 1,
        maps: [
          [
            axisMap(
              2,
              [
                [0, 2],
                [1, 1],
              ],
              -1,
            ),
          ],
          [axisMap(2, [[1, 1]])],
        ],
      }),
      results: [tensor("f32", [3], [210, 432, 54])],
    },
  ],
  stacked(attributes, length, has) {
    const { axes, result, maps } = mapsOf(attributes);
    return attributesOf({
      axes: [length, ...axes],
      result: result + 1,
      maps: maps.map((operand, m) => {
        const own = operand.map((map) => ({ ...map, coefficients: [0, ...map.coefficients] }));
        return has[m] ? [axisMap(axes.length + 1, [[0, 1]]), ...own] : own;
      }),
    });
  },
  cheap: false,
});
