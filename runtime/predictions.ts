/** Outputs of named classes, for people. */
import type { ElementType } from "./artifact.ts";
import type { TypedArray } from "./wasm-device.ts";

/** One row of an output whose classes have names. */
export interface Prediction<Class extends string = string> {
  readonly class: Class;
  readonly index: number;
  /** the largest of `scores`; 1 where the output is the class itself */
  readonly score: number;
  /** what the model gives each class; empty where the output is the class itself */
  readonly scores: Readonly<Partial<Record<Class, number>>>;
}

/** `values` is one class a row, or one score a class and row. Of equal scores the first is taken. */
export function predictions(
  values: TypedArray,
  dtype: ElementType,
  classes: readonly string[],
): Prediction[] {
  const perRow = dtype === "f32" ? classes.length : 1;
  return Array.from({ length: values.length / perRow }, (_, row) => {
    const part = [...values.subarray(row * perRow, (row + 1) * perRow)];
    const score = Math.max(...part);
    const index = dtype === "f32" ? part.indexOf(score) : score;
    return {
      class: classes[index]!,
      index,
      score: dtype === "f32" ? score : 1,
      scores: Object.fromEntries(dtype === "f32" ? part.map((value, i) => [classes[i], value]) : []),
    };
  });
}
