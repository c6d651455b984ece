/** Scratch that every thread needs for itself, where the threads of a program share one memory. */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { flatSteps } from "../ir/kernel.ts";
import type { Buffer, EntryProgram, Step, ThreadScratch } from "../ir/kernel.ts";
import { wasmLayout } from "./layout.ts";
import { bytesBound } from "./plan-memory.ts";

/** Threads that a threaded program has scratch for. */
const mostThreads = 8;
/** what one thread writes does not lie in a cache line of another's */
const cacheLine = 64;

/**
 * Panels and tiles of contractions, and tiles of iterations. The panels of b belong to all where there is one
 * contraction; where there is a batch of them, each thread has elements of its own, and packs these. Of a loop whose
 * positions are independent, each thread takes some.
 */
export function threadScratch(entries: readonly EntryProgram[]): ThreadScratch {
  const own = new Map<Buffer, Dim>();
  const inLoops = new Map<Buffer, Dim>();
  const add = (buffer: Buffer, to = own): void => {
    const bytes = bytesBound(buffer, wasmLayout);
    const known = dim.constantOf(bytes);
    to.set(buffer, known === undefined ? bytes : dim.constant(Math.ceil(known / cacheLine) * cacheLine));
  };
  const ofLoops = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.kind !== "loop") continue;
      for (const buffer of step.own ?? []) add(buffer, inLoops);
      ofLoops(step.steps);
    }
  };
  for (const entry of entries) ofLoops(entry.steps);
  for (const entry of entries)
    for (const { kernel } of flatSteps(entry.steps)) {
      for (const { place } of kernel.stages) if (place.kind === "tile") add(place.buffer);
      const { contraction } = kernel;
      if (contraction === undefined) continue;
      add(contraction.panelA);
      add(contraction.tile);
      if (!contraction.prepacked && contraction.batch.length > 0) add(contraction.panelB);
    }
  return { most: mostThreads, own, ofLoops: inLoops };
}
