/** Contractions: recognises a sum of products over a full grid, says which loops are rows and columns, and sizes the panels. */
import * as dim from "../ir/dim.ts";
import type { Buffer, Contraction, Stage } from "../ir/kernel.ts";
import type { Affine, LoopAxis } from "../ir/scalar.ts";
import { isUnit } from "./digits.ts";
import { contractionAxes } from "./probe.ts";
import { axesIn, stagesIn } from "./scalar-walk.ts";
import { panelSizes } from "./target.ts";

/** The loop along which the store is contiguous. */
function contiguousAxis(index: readonly Affine[]): LoopAxis | undefined {
  return index.at(-1)?.terms.find((t) => isUnit(t.coefficient))?.axis;
}

/** The contraction in a kernel of this grid; undefined where the plain loops are better. */
export function recognise(
  grid: readonly LoopAxis[],
  stages: readonly Stage[],
  scratch: (name: string, shape: readonly dim.Dim[]) => Buffer,
): Contraction | undefined {
  const [first, ...epilogue] = stages;
  if (first === undefined || first.combine !== "sum" || first.place.kind !== "register") return undefined;
  if (epilogue.some((s) => s.combine !== undefined || s.axes.length > 0 || s.place.kind !== "store"))
    return undefined;
  const product = first.value;
  if (product.kind !== "apply" || product.instruction !== "mul") return undefined;
  const [x, y] = product.operands;
  if (stagesIn(product).size > 0) return undefined;
  const xAxes = axesIn(x!);
  const yAxes = axesIn(y!);
  const store = epilogue.at(-1)?.place;
  const roles = contractionAxes(
    grid,
    first.over,
    xAxes,
    yAxes,
    store?.kind === "store" ? contiguousAxis(store.index) : undefined,
  );
  if (roles === undefined) return undefined;
  const { batch, rows, columns, swapped } = roles;
  const count = (axes: readonly LoopAxis[]): dim.Dim => dim.product(axes.map((a) => a.size));
  const sizes = panelSizes(count(rows), count(columns), count(first.over));
  return {
    batch,
    rows,
    columns,
    inner: first.over,
    a: swapped ? y! : x!,
    b: swapped ? x! : y!,
    panelA: scratch("panel_a", sizes.panelA),
    panelB: scratch("panel_b", sizes.panelB),
    tile: scratch("tile", sizes.tile),
    prepacked: false,
  };
}
