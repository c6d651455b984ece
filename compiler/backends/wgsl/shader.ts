/** The text of one shader around its code: the uniform block, what it binds, the functions it calls, its entry point. */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { scratchOf } from "../../ir/kernel.ts";
import type { Buffer, Kernel, Program, Stage } from "../../ir/kernel.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import type { Layout } from "../../lower/program.ts";
import { bind, loadedBy, storedBy } from "./bindings.ts";
import type { Range } from "./bindings.ts";
import type { ShaderContext } from "./emitter.ts";
import { functionTexts } from "./functions.ts";

/** Names of the uniform block's members, in order; those of one entry are the same in all its shaders. */
export interface UniformBlock {
  readonly dims: readonly string[];
  readonly counters: readonly LoopAxis[];
}

/** What a dispatch runs, and over how much. */
export interface Shader {
  readonly name: string;
  /** of the layer that the kernel comes from */
  readonly path: string;
  readonly text: string;
  readonly ranges: readonly Range[];
  /** workgroups: the product of size / per, each rounded up */
  readonly groups: readonly { readonly size: Dim; readonly per: number }[];
}

export interface Maker {
  readonly program: Program;
  readonly layout: Layout;
  readonly block: UniformBlock;
}

/** The context of a kernel's code. `tile` names a tile's element, see `ShaderContext`. */
export function contextOf(
  { program, layout, block }: Maker,
  kernel: Kernel,
  tile: ShaderContext["tile"],
  more: { readonly read?: readonly Buffer[]; readonly written?: readonly Buffer[] } = {},
): ShaderContext {
  const { contraction } = kernel;
  const values = kernel.stages.map(({ value }) => value);
  const read = loadedBy(contraction ? [contraction.a, contraction.b, ...values] : values);
  const lists = new Set(kernel.lists?.flatMap(({ first, next }) => [first, next]));
  for (const buffer of scratchOf(kernel)) if (lists.has(buffer)) read.add(buffer);
  for (const buffer of more.read ?? []) read.add(buffer);
  const written = storedBy(kernel);
  for (const buffer of more.written ?? []) written.add(buffer);
  return {
    kernel: kernel.name,
    layout,
    bindings: bind(program, layout, read, written),
    dims: new Map(block.dims.map((name, i) => [name, `sizes.dim${i}`])),
    maxima: new Map(block.dims.map((name, i) => [name, `sizes.max${i}`])),
    counters: new Map(block.counters.map((axis, i) => [axis, `sizes.step${i}`])),
    functions: new Set(),
    tile,
  };
}

export interface ShaderParts {
  readonly kernel: Kernel;
  readonly context: ShaderContext;
  readonly block: UniformBlock;
  readonly workgroup: number;
  /** declarations besides the bindings: workgroup memory, functions of this kernel */
  readonly declarations?: readonly string[];
  readonly body: string;
  readonly groups: Shader["groups"];
}

/** Members of the uniform block, all i32. */
export function membersOf({ dims, counters }: UniformBlock): string[] {
  return [
    ...dims.map((_, i) => `dim${i}`),
    ...dims.map((_, i) => `max${i}`),
    ...counters.map((_, i) => `step${i}`),
  ];
}

/**
 * `flat_group` is the workgroup's number, `lane` the invocation's in it. More workgroups than a dispatch has along one
 * axis are laid out in rows, so the last row may have some too many: code looks at its number first.
 */
export function shaderOf(parts: ShaderParts): Shader {
  const { kernel, context, block, workgroup, declarations = [], body, groups } = parts;
  const members = membersOf(block);
  const bindings = context.bindings.ranges.map(
    ({ write, element }, i) =>
      `@group(0) @binding(${i + 1}) var<storage, ${write ? "read_write" : "read"}> m${i}: array<${element}>;`,
  );
  const functions = functionTexts(context.functions);
  const text = [
    ...(members.length > 0
      ? [
          `struct Sizes {\n${members.map((name) => `  ${name}: i32,`).join("\n")}\n}`,
          "@group(0) @binding(0) var<uniform> sizes: Sizes;",
        ]
      : []),
    ...bindings,
    ...declarations,
    ...(functions ? [functions] : []),
    `@compute @workgroup_size(${workgroup})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) count: vec3<u32>, @builtin(local_invocation_index) local_index: u32) {
  let flat_group = i32(group.x + group.y * count.x);
  let lane = i32(local_index);
${body}
}`,
  ].join("\n");
  return {
    name: kernel.name,
    path: kernel.origins.at(-1)?.path ?? "",
    text: `${text}\n`,
    ranges: context.bindings.ranges,
    groups,
  };
}

/** Total of a grid as one size. */
export function iterationsOf(grid: readonly LoopAxis[]): Dim {
  return dim.product(grid.map(({ size }) => size));
}

/** Elements of a tile in one iteration. */
export function elementsOfTile({ axes }: Stage): Dim {
  return dim.product(axes.map(({ size }) => size));
}
