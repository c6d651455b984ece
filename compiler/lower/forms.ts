/**
 * How a kernel is spread over a GPU, chosen from its sizes alone:
 * - invocations: each iteration of the grid is one invocation;
 * - workgroups: each iteration is a workgroup, whose invocations share the loops of its stages;
 * - tiles: a contraction, a block of rows and columns a workgroup, with blocks of both operands in workgroup memory.
 */
import * as dim from "../ir/dim.ts";
import type { Kernel, Stage } from "../ir/kernel.ts";
import type { LoopAxis } from "../ir/scalar.ts";
import { flatIndex, isUnit } from "./digits.ts";
import { loadsIn } from "./scalar-walk.ts";
import { affineConstant } from "../ir/scalar.ts";

export const forms = ["invocations", "workgroups", "tiles"] as const;
export type Form = (typeof forms)[number];

/** loops of stages that are worth a workgroup */
const leastShared = 32;
/** more iterations than these keep a GPU busy by themselves */
const manyIterations = 4096;
/** a contraction of fewer rows, columns or inner positions is a plain sum */
const leastTileSide = 8;
const leastTileWork = 2 ** 15;
/** elements of tiles that one invocation keeps in registers */
const mostPrivate = 64;
/** elements of tiles in workgroup memory: half of the 16 KiB that every device has */
const mostShared = 2048;

/** A size for choices: a free dim counts as 64. */
export function roughly(size: dim.Dim): number {
  return dim.evaluate(size, new Map([...dim.symbolsOf(size)].map((name) => [name, 64])));
}

const count = (axes: readonly LoopAxis[]): number => roughly(dim.product(axes.map(({ size }) => size)));

/** `wanted`: this form wherever it is possible, for tests. */
export function formOf(kernel: Kernel, wanted?: Form): Form {
  const { contraction, stages, grid, lists = [] } = kernel;
  if (contraction && wanted !== "workgroups" && wanted !== "invocations") {
    const [rows, columns, inner] = [contraction.rows, contraction.columns, contraction.inner].map(count) as [
      number,
      number,
      number,
    ];
    const large = Math.min(rows, columns, inner) >= leastTileSide && rows * columns * inner >= leastTileWork;
    if (large || wanted === "tiles") return "tiles";
  }
  if (lists.length > 0 || wanted === "invocations") return "invocations";
  if (wanted === "workgroups") return "workgroups";
  const longest = Math.max(0, ...stages.map((stage) => Math.max(count(stage.axes), count(stage.over))));
  const iterations = count(grid);
  if (longest >= leastShared && (iterations < manyIterations || stages.some(isContiguous)))
    return "workgroups";
  const tiles = tileElements(stages);
  return tiles !== undefined && tiles > mostPrivate && tiles <= mostShared ? "workgroups" : "invocations";
}

/** Whether neighbours along the last loop of a stage are neighbours in memory. */
function isContiguous({ axes, over, value }: Stage): boolean {
  const last = over.at(-1) ?? axes.at(-1);
  if (last === undefined || roughly(last.size) < leastShared) return false;
  return loadsIn(value).some(({ index, shape }) => {
    const flat = flatIndex(
      index.map((each) => (each.kind === "affine" ? each.affine : affineConstant(0))),
      shape,
    );
    const term = flat.terms.find(({ axis }) => axis === last);
    return term !== undefined && isUnit(term.coefficient);
  });
}

/** Elements of all tiles of an iteration; undefined where it is not known. */
function tileElements(stages: readonly Stage[]): number | undefined {
  let sum = 0;
  for (const { axes, place } of stages) {
    if (place.kind !== "tile") continue;
    const size = dim.constantOf(dim.product(axes.map((axis) => axis.size)));
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}

/** Where the tiles of a kernel of this form are: with the invocation, in workgroup memory, or in the arena. */
export function placeOfTiles({ stages }: Kernel, form: Form): "private" | "workgroup" | "memory" {
  const elements = tileElements(stages);
  if (form === "workgroups") return elements !== undefined && elements <= mostShared ? "workgroup" : "memory";
  return elements !== undefined && elements <= mostPrivate ? "private" : "memory";
}
