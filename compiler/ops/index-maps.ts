/** The affine index maps of the op `index`: plain data, read from and written to attributes. */
import {
  dimAttribute,
  dimsAttribute,
  listAttribute,
  numberAttribute,
  numbersAttribute,
  isList,
  recordAttribute,
} from "../ir/attribute.ts";
import { add, constant, multiply } from "../ir/dim.ts";
import { affineAdd, affineConstant, affineScale } from "../ir/scalar.ts";
import type { Dim } from "../ir/dim.ts";
import type { Attributes } from "../ir/op.ts";
import type { Affine } from "../ir/scalar.ts";

/** A position along one operand axis: constant + sum over loops of coefficient * loop. */
export interface AxisMap {
  readonly constant: Dim;
  /** one whole number a loop */
  readonly coefficients: readonly number[];
}

export interface IndexMaps {
  /** sizes of all loops; the first `result` of them are the axes of the result, the others are summed over */
  readonly axes: readonly Dim[];
  readonly result: number;
  /** for each operand, for each of its axes, where it is read */
  readonly maps: readonly (readonly AxisMap[])[];
}

/** The map with these [loop, coefficient] terms. */
export function axisMap(
  loops: number,
  terms: readonly (readonly [loop: number, coefficient: number])[],
  offset: Dim | number = 0,
): AxisMap {
  const coefficients = Array.from({ length: loops }, () => 0);
  for (const [loop, coefficient] of terms) coefficients[loop]! += coefficient;
  return { constant: typeof offset === "number" ? constant(offset) : offset, coefficients };
}

export function mapsOf(attributes: Attributes): IndexMaps {
  return {
    axes: dimsAttribute(attributes, "axes"),
    result: numberAttribute(attributes, "result"),
    maps: listAttribute(attributes, "maps").map((operand) =>
      (isList(operand) ? operand : []).map((each) => {
        const map = recordAttribute(each, "maps");
        return {
          constant: dimAttribute(map, "constant"),
          coefficients: numbersAttribute(map, "coefficients"),
        };
      }),
    ),
  };
}

export function attributesOf({ axes, result, maps }: IndexMaps): Attributes {
  return {
    axes,
    result,
    maps: maps.map((operand) =>
      operand.map((map) => ({ constant: map.constant, coefficients: map.coefficients })),
    ),
  };
}

/** The map at these loop positions. */
export function affineAt(map: AxisMap, loops: readonly Affine[]): Affine {
  return map.coefficients.reduce(
    (sum, coefficient, loop) =>
      coefficient === 0 ? sum : affineAdd(sum, affineScale(loops[loop]!, coefficient)),
    affineConstant(map.constant),
  );
}

/** Sum of |coefficient| * (size - 1): how far apart the first and the last position are that a map reads. */
export function reach(map: AxisMap, axes: readonly Dim[], sign?: 1 | -1): Dim {
  return map.coefficients.reduce((sum, coefficient, loop) => {
    if (coefficient === 0 || (sign && Math.sign(coefficient) !== sign)) return sum;
    const last = add(axes[loop]!, constant(-1));
    return add(sum, multiply(constant(Math.abs(coefficient)), last));
  }, constant(0));
}
