/**
 * Operands of contractions that depend on weights, states and constants alone are packed once, by the entry `prepare`;
 * a kernel that makes panels of them runs there too.
 */
import * as dim from "../ir/dim.ts";
import { buffersStored, flatSteps } from "../ir/kernel.ts";
import type { Buffer, Contraction, EntryProgram, Kernel, KernelStep, Step } from "../ir/kernel.ts";
import type { LoopAxis, Scalar } from "../ir/scalar.ts";
import { axesIn, loadsIn, makeNames, visit } from "./scalar-walk.ts";
import { withBuffers } from "./update-in-place.ts";
import type { Names } from "./scalar-walk.ts";

/** Entries with prepared panels, and the steps that fill these. */
export function prepack(
  lowered: readonly {
    readonly entry: EntryProgram;
    /** names of the weights and states that it writes */
    readonly written: ReadonlySet<string>;
  }[],
): {
  readonly entries: readonly EntryProgram[];
  readonly packs: readonly KernelStep[];
} {
  const panels = new Map<string, Buffer>();
  const packs: KernelStep[] = [];
  const names = makeNames();
  const entries = lowered.map(({ entry, written }) => {
    // what changes with every call of an entry cannot be prepared for it, and weights that change change nearly all
    if (entry.inputs.some(({ name, role }) => role === "weight" && written.has(name))) return entry;
    const filled = panelsFilled(entry, written);
    const moved = new Map<Buffer, Buffer>();
    for (const kernel of filled) {
      const panel = panelOf(kernel)!;
      const key = kernel.stages
        .map(({ value }) => keyOf({ b: value, columns: kernel.grid, inner: [] }, names))
        .join("\n");
      let prepared = panels.get(key);
      if (prepared === undefined) {
        prepared = { ...panel, kind: { kind: "prepared" } };
        panels.set(key, prepared);
        packs.push({ kind: "kernel", kernel: withBuffers(kernel, new Map([[panel, prepared]])) });
      }
      moved.set(panel, prepared);
    }
    const packed = (step: Step): Step => {
      if (step.kind === "loop") return { ...step, steps: step.steps.map(packed) };
      if (moved.has(step.kernel.contraction?.panelB as Buffer))
        return { ...step, kernel: withBuffers(step.kernel, moved) };
      const { contraction } = step.kernel;
      if (!contraction || contraction.batch.length > 0 || !dependsOnWeights(contraction, written))
        return step;
      const key = keyOf(contraction, names);
      let panelB = panels.get(key);
      const known = panelB !== undefined;
      panelB ??= { ...contraction.panelB, kind: { kind: "prepared" } };
      panels.set(key, panelB);
      const kernel: Kernel = { ...step.kernel, contraction: { ...contraction, panelB, prepacked: true } };
      if (!known) packs.push({ kind: "pack", kernel });
      return { kind: "kernel", kernel };
    };
    return { ...entry, steps: without(entry.steps, filled).map(packed) };
  });
  return { entries, packs };
}

/** Kernels that do nothing but put weights and constants into the panels of a contraction. */
function panelsFilled(entry: EntryProgram, written: ReadonlySet<string>): ReadonlySet<Kernel> {
  const steps = flatSteps(entry.steps);
  const panels = new Set(
    steps.flatMap(({ kernel: { contraction } }) => (contraction?.prepacked ? [contraction.panelB] : [])),
  );
  return new Set(
    steps.flatMap(({ kind, kernel }) => {
      const panel = panelOf(kernel);
      const fills = kind === "kernel" && panel !== undefined && panels.has(panel);
      return fills && kernel.stages.every(({ value }) => readsWeights(value, written)) ? [kernel] : [];
    }),
  );
}

/** The one buffer that a kernel without reductions stores into. */
function panelOf({ stages, contraction }: Kernel): Buffer | undefined {
  const [panel, ...more] = buffersStored(stages);
  return contraction === undefined && more.length === 0 && stages.every((s) => s.combine === undefined)
    ? panel
    : undefined;
}

function without(steps: readonly Step[], kernels: ReadonlySet<Kernel>): Step[] {
  return steps.flatMap((step): Step[] => {
    if (step.kind === "loop") return [{ ...step, steps: without(step.steps, kernels) }];
    return kernels.has(step.kernel) ? [] : [step];
  });
}

/** Operands that are the same in all steps of a loop are packed before it. */
export function packBeforeLoops(entry: EntryProgram): EntryProgram {
  const visitSteps = (steps: readonly Step[]): Step[] =>
    steps.flatMap((step): Step[] => {
      if (step.kind !== "loop") return [step];
      const inside = visitSteps(step.steps);
      const written = buffersStored(flatSteps(inside).flatMap(({ kernel }) => kernel.stages));
      const packs: Step[] = [];
      const withPanels = inside.map((inner): Step => {
        if (inner.kind !== "kernel") return inner;
        const { contraction } = inner.kernel;
        if (!contraction || contraction.prepacked || contraction.batch.length > 0) return inner;
        const loads = loadsIn(contraction.b);
        const same =
          loads.length > 0 &&
          loads.every(({ buffer }) => !written.has(buffer)) &&
          ![...axesIn(contraction.b)].some((axis) => axis.counter);
        if (!same) return inner;
        const kernel: Kernel = { ...inner.kernel, contraction: { ...contraction, prepacked: true } };
        packs.push({ kind: "pack", kernel });
        return { kind: "kernel", kernel };
      });
      return [...packs, { ...step, steps: withPanels }];
    });
  return { ...entry, steps: visitSteps(entry.steps) };
}

function dependsOnWeights({ b, panelB }: Contraction, written: ReadonlySet<string>): boolean {
  return panelB.shape.every((size) => dim.constantOf(size) !== undefined) && readsWeights(b, written);
}

function readsWeights(value: Scalar, written: ReadonlySet<string>): boolean {
  const loads = loadsIn(value);
  return (
    loads.length > 0 &&
    loads.every(
      ({ buffer: { kind, name } }) =>
        kind.kind === "constant" ||
        (kind.kind === "input" && (kind.role === "weight" || kind.role === "state") && !written.has(name)),
    )
  );
}

/** Equal for contractions that pack the same numbers in the same order. */
function keyOf({ b, columns, inner }: Pick<Contraction, "b" | "columns" | "inner">, names: Names): string {
  const loops = [...columns, ...inner].filter((axis) => axesIn(b).has(axis));
  const place = (axis: LoopAxis): string => `${columns.includes(axis) ? "c" : "k"}${loops.indexOf(axis)}`;
  const numbers = new Map<object, number>();
  const lines: string[] = [];
  visit(b, (s) => {
    const child = (x: object): string => `%${numbers.get(x)}`;
    const text = JSON.stringify(s, (name, value: unknown) => {
      if (name === "axis") return place(value as LoopAxis);
      if (name === "buffer") return `buffer${names.of(value as Buffer)}`;
      if (value !== s && typeof value === "object" && value !== null && numbers.has(value))
        return child(value);
      return value;
    });
    numbers.set(s, lines.length);
    lines.push(text);
  });
  const sizes = [...columns, ...inner].map((axis) => `${place(axis)}:${axis.size.key}`);
  return [...sizes, ...lines].join("\n");
}
