/** What lies in memory, and how wide: the one thing in which the memory plans of the targets differ. */
import type { Dim } from "../ir/dim.ts";
import * as dim from "../ir/dim.ts";
import { flatSteps } from "../ir/kernel.ts";
import type { Buffer, EntryProgram, Kernel, Stage } from "../ir/kernel.ts";
import { bytesOf } from "../ir/type.ts";
import { formOf, placeOfTiles } from "./forms.ts";
import type { Form } from "./forms.ts";
import { target } from "./target.ts";

export type TargetName = "wasm" | "webgpu";

export interface Layout {
  /** alignment of a buffer with free dims, see lower/target.ts */
  readonly freeAlignment: number;
  /** bytes of one element */
  elementBytes(buffer: Buffer): number;
  /** number of elements; undefined: it has no place in memory */
  elements(buffer: Buffer): Dim | undefined;
}

export const wasmLayout: Layout = {
  freeAlignment: target.freeAlignment,
  elementBytes: ({ dtype }) => bytesOf[dtype],
  elements: ({ shape }) => dim.product(shape),
};

/**
 * Bytes of an element on WebGPU. An invocation writes whole words, and no two of them one word: what kernels store takes
 * four bytes an element. What they only read is as wide as its type.
 */
export function webgpuElementBytes({ kind, dtype }: Buffer): number {
  const onlyRead = kind.kind === "constant" || (kind.kind === "input" && kind.role === "input");
  return onlyRead ? bytesOf[dtype] : 4;
}

/** Contractions keep no panels; tiles are the invocation's or the workgroup's own, or each iteration has its range. */
export function webgpuLayout(entries: readonly EntryProgram[], form?: Form): Layout {
  const elements = new Map<Buffer, Dim | undefined>();
  for (const entry of entries)
    for (const { kernel } of flatSteps(entry.steps)) {
      const { contraction } = kernel;
      if (contraction)
        for (const panel of [contraction.panelA, contraction.panelB, contraction.tile])
          elements.set(panel, undefined);
      const kept = placeOfTiles(kernel, formOf(kernel, form)) !== "memory";
      for (const stage of tilesOf(kernel))
        elements.set(stage.place.buffer, kept ? undefined : tileElements(kernel, stage));
    }
  return {
    // that of a binding's offset
    freeAlignment: target.alignment,
    elementBytes: webgpuElementBytes,
    elements: (buffer) => (elements.has(buffer) ? elements.get(buffer) : dim.product(buffer.shape)),
  };
}

type TileStage = Stage & { readonly place: { readonly kind: "tile" } };

function tilesOf({ stages }: Kernel): TileStage[] {
  return stages.filter((stage): stage is TileStage => stage.place.kind === "tile");
}

/** Of a tile that every iteration of the grid has for itself. */
function tileElements({ grid }: Kernel, { axes }: Stage): Dim {
  return dim.product([...grid, ...axes].map(({ size }) => size));
}
