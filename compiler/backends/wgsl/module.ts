/** A program as WGSL: every kernel a shader, every entry the list of what is dispatched, in loops where it has some. */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import type { EntryProgram, Kernel, Program, Stage, Step } from "../../ir/kernel.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import { affineAxis } from "../../ir/scalar.ts";
import type { Load } from "../../ir/scalar.ts";
import { scalarTypeOf } from "../../ir/type.ts";
import { formOf } from "../../lower/program.ts";
import type { Form, Layout } from "../../lower/program.ts";
import { constantBytes } from "../constants.ts";
import { invocationKernel } from "./invocation-kernel.ts";
import { listKernels } from "./list-kernels.ts";
import { iterationsOf, membersOf } from "./shader.ts";
import type { Maker, Shader, UniformBlock } from "./shader.ts";
import { tileKernel } from "./tile-kernel.ts";
import { workgroupKernel } from "./workgroup-kernel.ts";

/** A shader by its number, or steps that are repeated, with the counter's member of the uniform block. */
export type Dispatch =
  | { readonly shader: number }
  | { readonly count: Dim; readonly member: number; readonly steps: readonly Dispatch[] };

export interface WgslEntry {
  readonly name: string;
  /**
   * i32 members of the uniform block: the sizes of the entry's dims, their maxima, the counters of its loops. Without
   * members there is no block; else it is binding 0, and ranges follow it.
   */
  readonly members: number;
  readonly steps: readonly Dispatch[];
}

export interface WgslProgram {
  readonly shaders: readonly Shader[];
  readonly entries: readonly WgslEntry[];
  /** what lies in the shared memory from the start */
  readonly constants: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

export interface WgslOptions {
  /** this form of kernels wherever it is possible: that of the plan */
  readonly form?: Form | undefined;
}

export function emitWgsl(program: Program, layout: Layout, { form }: WgslOptions = {}): WgslProgram {
  const shaders: Shader[] = [];
  const entries = program.entries.map((entry): WgslEntry => {
    const counters = countersOf(entry.steps);
    const block: UniformBlock = { dims: entry.dims.map(({ name }) => name), counters };
    const maker: Maker = { program, layout, block };
    const known = new Map<Kernel, readonly Dispatch[]>();
    const dispatch = (kernel: Kernel): readonly Dispatch[] => {
      let found = known.get(kernel);
      if (!found) {
        found = shadersOf(maker, kernel, form).map((shader) => ({ shader: shaders.push(shader) - 1 }));
        known.set(kernel, found);
      }
      return found;
    };
    const list = (steps: readonly Step[]): Dispatch[] =>
      steps.flatMap((step) => {
        if (step.kind === "pack") return [];
        if (step.kind === "kernel") return dispatch(step.kernel);
        const member = 2 * block.dims.length + counters.indexOf(step.counter);
        return [{ count: step.counter.size, member, steps: list(step.steps) }];
      });
    const steps = [...list(entry.steps), ...copiesOf(entry).flatMap(dispatch)];
    return { name: entry.name, members: membersOf(block).length, steps };
  });
  return { shaders, entries, constants: constantsOf(program) };
}

function shadersOf(maker: Maker, kernel: Kernel, wanted: Form | undefined): Shader[] {
  if (dim.equal(iterationsOf(kernel.grid), dim.zero)) return [];
  const form = formOf(kernel, wanted);
  if (form === "tiles") return [tileKernel(maker, kernel)];
  if (form === "workgroups") return [workgroupKernel(maker, kernel)];
  return [...listKernels(maker, kernel), invocationKernel(maker, kernel)];
}

function countersOf(steps: readonly Step[]): LoopAxis[] {
  return steps.flatMap((step) => (step.kind === "loop" ? [step.counter, ...countersOf(step.steps)] : []));
}

/** What is copied at the end of an entry, as kernels: a range may not be copied within its own memory. */
function copiesOf({ copies }: EntryProgram): Kernel[] {
  return copies.map(({ from, to }) => {
    const axis: LoopAxis = { name: "i", size: dim.product(from.shape) };
    const shape = [axis.size];
    const value: Load = {
      kind: "load",
      type: scalarTypeOf(from.dtype),
      buffer: from,
      shape,
      index: [{ kind: "affine", affine: affineAxis(axis) }],
      guarded: [],
    };
    const place = { kind: "store", buffer: to, shape, index: [affineAxis(axis)] } as const;
    const stage: Stage = { axes: [], over: [], combine: undefined, value, place };
    return {
      name: `copy_${to.name}`,
      grid: [axis],
      stages: [stage],
      contraction: undefined,
      origins: [to.origin],
    };
  });
}

function constantsOf({ places }: Program): WgslProgram["constants"] {
  return [...places].flatMap(([{ kind, dtype }, place]) => {
    if (kind.kind !== "constant") return [];
    const bytes = constantBytes(dtype, kind.value);
    return bytes.every((byte) => byte === 0) ? [] : [{ offset: dim.constantOf(place)!, bytes }];
  });
}
