/** Late dims: sizes that the data pins, such as the number of its categories. */
import * as dim from "../ir/dim.ts";
import type { Solver } from "./solver.ts";

/** Whether one of the sizes stays open until the data is known; their names have a dot: `Pets.Breed`. */
export function involvesLateDims(solver: Solver, sizes: readonly dim.Dim[]): boolean {
  return sizes.some((size) => [...dim.symbolsOf(solver.normalise(size))].some((name) => name.includes(".")));
}
