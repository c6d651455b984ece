/** Which loops of a contraction are a window of 3 x 3 that moves by one. */
import * as dim from "../ir/dim.ts";
import type { Buffer, Kernel } from "../ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../ir/scalar.ts";
import { panelSizes, target } from "./target.ts";
import { taps, tileOutputs } from "./winograd-matrices.ts";
import { affinesOf, buffersRead, visit } from "./scalar-walk.ts";

/** A window along one axis of the operand: position + step * tap. */
export interface Slide {
  readonly position: LoopAxis;
  readonly tap: LoopAxis;
  readonly step: 1 | -1;
}

export interface Window {
  /** rows are positions (a convolution, the gradient of its input), or taps (the gradient of the taps) */
  readonly kind: "rows" | "taps";
  readonly down: Slide;
  readonly along: Slide;
  /** loops of positions beside those two: pictures of a batch */
  readonly pictures: readonly LoopAxis[];
  readonly channels: LoopAxis;
  readonly columns: LoopAxis;
}

/** With fewer channels or columns, putting in and taking out costs more than the products that it saves. */
const leastChannels = 16;
/** With fewer tiles in a picture the products have too few rows, in the gradient of the taps too few inner positions. */
export const leastTiles = 16;

/** undefined: not such a contraction, or one for which the direct form is faster. */
export function windowOf(kernel: Kernel): Window | undefined {
  const { contraction, stages } = kernel;
  if (!contraction || contraction.prepacked || contraction.batch.length > 0) return undefined;
  const { a, rows, columns, inner } = contraction;
  const read = buffersRead(stages);
  if (stages.some(({ place }) => place.kind === "store" && read.has(place.buffer))) return undefined;
  const [column, ...moreColumns] = columns;
  if (column === undefined || moreColumns.length > 0) return undefined;
  for (const kind of ["rows", "taps"] as const) {
    const [positions, others] = kind === "rows" ? [rows, inner] : [inner, rows];
    const slides = others.flatMap((tap) => positions.flatMap((position) => slideOf(a, position, tap) ?? []));
    const [down, along] = slides;
    if (down === undefined || along === undefined || slides.length > 2) continue;
    if (down.position === along.position || down.tap === along.tap) continue;
    const pictures = positions.filter((axis) => axis !== down.position && axis !== along.position);
    const [channels, ...more] = others.filter((axis) => axis !== down.tap && axis !== along.tap);
    if (channels === undefined || more.length > 0) continue;
    const window: Window = { kind, down, along, pictures, channels, columns: column };
    return pays(window) ? window : undefined;
  }
  return undefined;
}

export function tilesOf({ position }: Slide): number {
  return dim.constantOf(position.size)! / tileOutputs;
}

function pays({ down, along, channels, columns, pictures, kind }: Window): boolean {
  const even = [down, along].every(
    ({ position }) => (dim.constantOf(position.size) ?? 1) % tileOutputs === 0,
  );
  const [inputs, outputs] = [channels, columns].map((axis) => dim.constantOf(axis.size) ?? 0) as [
    number,
    number,
  ];
  if (!even || inputs < leastChannels || outputs < leastChannels) return false;
  if (tilesOf(down) * tilesOf(along) < leastTiles) return false;
  if (kind === "taps") return outputs % target.tileColumns === 0 && pictures.length <= 1;
  // taps are put into panels as they are made
  const inBlocks = inputs <= target.innerBlock || inputs % target.innerBlock === 0;
  return outputs % target.tileColumns === 0 && inBlocks;
}

/** Whether everywhere in `a` the two loops stand together, as position + step * tap. */
function slideOf(a: Scalar, position: LoopAxis, tap: LoopAxis): Slide | undefined {
  if (dim.constantOf(tap.size) !== taps || dim.constantOf(position.size) === undefined) return undefined;
  let step: number | undefined;
  let together = true;
  const coefficient = (affine: Affine, axis: LoopAxis): number | undefined => {
    const term = affine.terms.find((t) => t.axis === axis);
    return term === undefined ? 0 : dim.constantOf(term.coefficient);
  };
  visit(a, (s) => {
    for (const affine of affinesOf(s)) {
      const [p, t] = [coefficient(affine, position), coefficient(affine, tap)];
      if (p === 0 && t === 0) continue;
      const ratio = p === undefined || t === undefined || p === 0 ? NaN : t / p;
      if (Math.abs(ratio) !== 1 || (step !== undefined && step !== ratio)) together = false;
      step = ratio;
    }
  });
  return together && (step === 1 || step === -1) ? { position, tap, step } : undefined;
}

/** A buffer of a kernel that the window is turned into. */
export function scratchFor(kernel: Kernel, label: string, shape: readonly dim.Dim[]): Buffer {
  return {
    name: `${kernel.name}.${label}`,
    dtype: "f32",
    shape,
    kind: { kind: "temporary" },
    origin: kernel.origins[0]!,
  };
}

/** Panels of a product of these sizes. */
export function panelsFor(
  kernel: Kernel,
  rows: dim.Dim,
  columns: dim.Dim,
  inner: dim.Dim,
): { readonly panelA: Buffer; readonly panelB: Buffer; readonly tile: Buffer } {
  const sizes = panelSizes(rows, columns, inner);
  return {
    panelA: scratchFor(kernel, "panel_a", sizes.panelA),
    panelB: scratchFor(kernel, "panel_b", sizes.panelB),
    tile: scratchFor(kernel, "tile", sizes.tile),
  };
}
