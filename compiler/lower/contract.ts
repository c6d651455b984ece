/** Contractions: recognises a sum of products over a full grid, says which loops are rows and columns, and sizes the panels. */
import * as dim from "../ir/dim.ts";
import type { Buffer, Contraction, Stage } from "../ir/kernel.ts";
import { affineConstant, apply } from "../ir/scalar.ts";
import type { Affine, Load, LoopAxis, Scalar } from "../ir/scalar.ts";
import { factorsOf, groupFactors } from "./contraction-axes.ts";
import type { Grouped } from "./contraction-axes.ts";
import { flatIndex, isUnit } from "./digits.ts";
import { axesIn, loadsIn, makeInterner, rewriter, stagesIn } from "./scalar-walk.ts";
import type { Names } from "./scalar-walk.ts";
import { panelSizes } from "./target.ts";

/** The loop along which the store is contiguous. */
function contiguousAxis(index: readonly Affine[]): LoopAxis | undefined {
  return index.at(-1)?.terms.find((t) => isUnit(t.coefficient))?.axis;
}

interface Found extends Grouped {
  readonly factors: readonly Scalar[];
}

function find(grid: readonly LoopAxis[], stages: readonly Stage[]): Found | undefined {
  const [first, ...epilogue] = stages;
  if (first === undefined || first.combine !== "sum" || first.place.kind !== "register") return undefined;
  if (first.axes.length > 0) return undefined;
  if (epilogue.some((s) => s.combine !== undefined || s.axes.length > 0 || s.place.kind !== "store"))
    return undefined;
  if (stagesIn(first.value).size > 0) return undefined;
  const factors = factorsOf(first.value);
  const store = epilogue.at(-1)?.place;
  const grouped = groupFactors(
    grid,
    first.over,
    factors.map((factor) => axesIn(factor)),
    store?.kind === "store" ? contiguousAxis(store.index) : undefined,
  );
  if (grouped === undefined) return undefined;
  const b = grouped.b.flatMap((n) => loadsIn(factors[n]!));
  return repeats([...grouped.columns, ...first.over], b) ? undefined : { ...grouped, factors };
}

/** Whether a panel over these loops holds elements of its operand several times (windows of a convolution). */
function repeats(axes: readonly LoopAxis[], loads: readonly Load[]): boolean {
  const panel = dim.product(axes.map((axis) => axis.size));
  const operand = Math.max(0, ...loads.map((load) => roughly(dim.product(load.buffer.shape))));
  return operand > 0 && roughly(panel) > 1.5 * operand;
}

/** A size in which every free dim counts as large. */
function roughly(size: dim.Dim): number {
  return dim.evaluate(size, new Map([...dim.symbolsOf(size)].map((name) => [name, 64])));
}

export function isContraction(grid: readonly LoopAxis[], stages: readonly Stage[]): boolean {
  return find(grid, stages) !== undefined;
}

/** Loops of a sum ordered so that the last ones are contiguous in the largest operand, then in the next. */
function inMemoryOrder(inner: readonly LoopAxis[], loads: readonly Load[]): LoopAxis[] {
  const flat = loads
    .map((load) => ({
      size: roughly(dim.product(load.buffer.shape)),
      at: flatIndex(
        load.index.map((i) => (i.kind === "affine" ? i.affine : affineConstant(0))),
        load.shape,
      ),
    }))
    .sort((a, b) => b.size - a.size);
  const stride = (axis: LoopAxis, at: Affine): number => {
    const term = at.terms.find((t) => t.axis === axis);
    return term ? Math.abs(roughly(term.coefficient)) : 0;
  };
  return [...inner].sort((x, y) => {
    for (const { at } of flat) {
      const [a, b] = [stride(x, at), stride(y, at)];
      if (a !== b && a !== 0 && b !== 0) return b - a;
    }
    return inner.indexOf(x) - inner.indexOf(y);
  });
}

/** The contraction in a kernel of this grid, and its stages; undefined where the plain loops are better. */
export function recognise(
  grid: readonly LoopAxis[],
  stages: readonly Stage[],
  scratch: (name: string, shape: readonly dim.Dim[]) => Buffer,
  names: Names,
): { readonly contraction: Contraction; readonly stages: readonly Stage[] } | undefined {
  const found = find(grid, stages);
  if (found === undefined) return undefined;
  const { batch, rows, columns, factors } = found;
  const [first, ...epilogue] = stages;
  const inner = inMemoryOrder(
    first!.over,
    [...found.a, ...found.b].flatMap((n) => loadsIn(factors[n]!)),
  );
  const count = (axes: readonly LoopAxis[]): dim.Dim => dim.product(axes.map((a) => a.size));
  const sizes = panelSizes(count(rows), count(columns), count(inner));
  const product = (group: readonly number[]): Scalar =>
    group.map((n) => factors[n]!).reduce((x, y) => apply("mul", x, y));
  const a = product(found.a);
  const b = product(found.b);
  const sum: Stage = { ...first!, over: inner, value: apply("mul", a, b) };
  const relink = rewriter(makeInterner(names), {
    node: (s) => (s.kind === "result" && s.stage === first ? { ...s, stage: sum } : s),
  });
  return {
    stages: [sum, ...epilogue.map((s): Stage => ({ ...s, value: relink(s.value) }))],
    contraction: {
      batch,
      rows,
      columns,
      inner,
      a,
      b,
      panelA: scratch("panel_a", sizes.panelA),
      panelB: scratch("panel_b", sizes.panelB),
      tile: scratch("tile", sizes.tile),
      prepacked: false,
    },
  };
}
