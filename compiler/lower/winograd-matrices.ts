/**
 * The matrices of F(2 x 2, 3 x 3), two outputs of a window of three, and what they make of a square of scalars.
 * Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016.
 */
import { apply, f32 } from "../ir/scalar.ts";
import type { Scalar } from "../ir/scalar.ts";

export type Square = readonly (readonly Scalar[])[];
export type Matrix = readonly (readonly number[])[];

/** positions of the input that a tile of outputs looks at, along one axis */
export const tileInputs = 4;
/** outputs of a tile, along one axis */
export const tileOutputs = 2;
/** width of the window */
export const taps = 3;

export const inputMatrix: Matrix = [
  [1, 0, -1, 0],
  [0, 1, 1, 0],
  [0, -1, 1, 0],
  [0, 1, 0, -1],
];
export const tapMatrix: Matrix = [
  [1, 0, 0],
  [0.5, 0.5, 0.5],
  [0.5, -0.5, 0.5],
  [0, 0, 1],
];
export const outputMatrix: Matrix = [
  [1, 1, 1, 0],
  [0, 1, -1, -1],
];

export function transposed(m: Matrix): Matrix {
  return m[0]!.map((_, column) => m.map((row) => row[column]!));
}

/** m x m': first down the columns, then along the rows, so that partial sums are shared. */
export function sandwich(m: Matrix, x: Square): Square {
  const down = m.map((row) => x[0]!.map((_, column) => combine(row, column, x)));
  return down.map((line) => m.map((row) => sum(row, line)));
}

function combine(row: readonly number[], column: number, x: Square): Scalar {
  return sum(
    row,
    x.map((line) => line[column]!),
  );
}

/** Sum of factor * value; what has one factor but for its sign is added up before it is multiplied. */
function sum(factors: readonly number[], values: readonly Scalar[]): Scalar {
  const scales = [...new Set(factors.map(Math.abs))].filter((scale) => scale !== 0);
  const groups = scales.map((scale) => {
    const [plus, minus] = [scale, -scale].map((factor) => values.filter((_, i) => factors[i] === factor)) as [
      Scalar[],
      Scalar[],
    ];
    const [first, ...more] = plus;
    const [negated, ...rest] = minus;
    const total = first
      ? [...more.map((v) => ["add", v] as const), ...minus.map((v) => ["sub", v] as const)].reduce(
          (sum, [sign, value]) => apply(sign, sum, value),
          first,
        )
      : rest.reduce((sum, value) => apply("sub", sum, value), apply("neg", negated!));
    return scale === 1 ? total : apply("mul", total, f32(scale));
  });
  return groups.reduce((total, group) => apply("add", total, group));
}
