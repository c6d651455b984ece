/** Recognises sums over positions whose number is that of a row: with the positions of each row in a list, no row looks at all. */
import * as dim from "../ir/dim.ts";
import { numbersOf } from "../ir/chosen-sum.ts";
import type { Buffer, RowLists, Stage } from "../ir/kernel.ts";
import type { LoopAxis, Scalar } from "../ir/scalar.ts";
import { axesIn, stagesIn } from "./scalar-walk.ts";

/** The lists of a kernel, each with its scratch. */
export function listsOf(
  grid: readonly LoopAxis[],
  stages: readonly Stage[],
  scratch: (label: string, shape: readonly dim.Dim[], dtype: "i32") => Buffer,
): readonly RowLists[] {
  return stages.flatMap((stage, n): RowLists[] => {
    const row = rowOf(stage, grid);
    if (row === undefined) return [];
    const positions = dim.product(stage.over.map((axis) => axis.size));
    return [
      {
        stage: n,
        row,
        first: scratch(`first${n}`, [row.size], "i32"),
        next: scratch(`next${n}`, [positions], "i32"),
      },
    ];
  });
}

/** The loop of the grid that a sum chooses by; undefined where it chooses in no such way. */
export function rowOf(stage: Stage, grid: readonly LoopAxis[]): LoopAxis | undefined {
  const numbers = numbersOf(stage);
  if (!numbers || stage.axes.length > 0) return undefined;
  const [id, place] = numbers;
  const row = grid.find((axis) => isLoop(place, axis));
  if (!row || !isBelow(id, row.size)) return undefined;
  const own = new Set([...axesIn(id)].filter((axis) => !axis.counter));
  return stagesIn(id).size === 0 && [...own].every((axis) => stage.over.includes(axis)) ? row : undefined;
}

function isLoop(s: Scalar, axis: LoopAxis): boolean {
  if (s.kind !== "index" || s.index.terms.length !== 1 || !dim.equal(s.index.constant, dim.zero))
    return false;
  const [{ axis: own, coefficient }] = s.index.terms as [(typeof s.index.terms)[number]];
  return own === axis && dim.equal(coefficient, dim.one);
}

/** `min(max(x, 0), size - 1)`, whatever x is. */
function isBelow(id: Scalar, size: dim.Dim): boolean {
  if (id.kind !== "apply" || id.instruction !== "min_i32") return false;
  const [low, high] = id.operands as [Scalar, Scalar];
  if (low.kind !== "apply" || low.instruction !== "max_i32") return false;
  const [, zero] = low.operands as [Scalar, Scalar];
  const last = dim.subtract(size, dim.one);
  const highest =
    high.kind === "constant" ? dim.constant(high.value) : high.kind === "size" ? high.size : undefined;
  return zero.kind === "constant" && zero.value === 0 && highest !== undefined && dim.equal(highest, last);
}
