/** A kernel whose iterations are invocations: the stages as loops, results in registers. */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import type { Kernel, Stage } from "../../ir/kernel.ts";
import { placeOfTiles } from "../../lower/program.ts";
import { flatsOf, flatten, loopOf, mergeLoops, readsOf } from "../access.ts";
import type { Loop } from "../access.ts";
import { makeEmitter, sizeText, typeTexts } from "./emitter.ts";
import type { Emitter, ShaderContext } from "./emitter.ts";
import { nest, reduce, unflatten } from "./reductions.ts";
import { contextOf, elementsOfTile, iterationsOf, shaderOf } from "./shader.ts";
import type { Maker, Shader } from "./shader.ts";
import { makeWriter } from "./writer.ts";

const workgroup = 64;

/** Loops of the grid, merged where every access of every stage sees one longer loop. */
export function gridLoops({ grid, stages, lists = [] }: Kernel): readonly Loop[] {
  if (lists.length > 0) return grid.map(loopOf);
  const reads = readsOf(stages.map(({ value }) => value));
  return mergeLoops(grid, flatsOf(reads, stages), reads.fixed);
}

/** Stores the value of a stage at the position that the loops stand at. */
export function storeResult(emitter: Emitter, stage: Stage, value: string): void {
  const { place } = stage;
  if (place.kind === "store") emitter.store(place.buffer, flatten(place.index, place.shape), value);
  if (place.kind === "tile") {
    const at = flatten(
      stage.axes.map((axis) => ({ constant: dim.zero, terms: [{ axis, coefficient: dim.one }] })),
      stage.axes.map(({ size }) => size),
    );
    const index = emitter.index({
      constant: at.constant,
      terms: [...at.coefficients].map(([axis, coefficient]) => ({ axis, coefficient })),
    });
    emitter.writer.line(`${emitter.context.tile(stage, index)} = ${wordIn(emitter, stage, value)};`);
  }
}

/** Tiles in memory may lie in a range of words. */
function wordIn({ context }: Emitter, stage: Stage, value: string): string {
  const { place } = stage;
  if (place.kind !== "tile") return value;
  const placed = context.bindings.placed(place.buffer);
  return placed && context.bindings.ranges[placed.range]!.element === "u32"
    ? `bitcast<u32>(${value})`
    : value;
}

export function tileBuffers({ stages }: Kernel) {
  return stages.flatMap(({ place }) => (place.kind === "tile" ? [place.buffer] : []));
}

/** An element of a tile that lies in memory, `flat` counted over all iterations. */
export function tileInMemory(
  context: Pick<ShaderContext, "bindings" | "maxima" | "functions">,
  stage: Stage,
  flat: string,
): string {
  const { place } = stage;
  if (place.kind !== "tile") throw new InternalError("wgsl", "a stage without a tile", undefined);
  if (stage.value.type !== "f32")
    throw new InternalError("wgsl", `a tile of ${stage.value.type} in memory`, undefined);
  const { range, offset } = context.bindings.placed(place.buffer)!;
  const start = sizeText(dim.divideExactly(offset, dim.constant(4))!, context.maxima, context.functions);
  return `m${range}[${start === "0" ? "" : `${start} + `}${flat}]`;
}

/** The number of an invocation as `id`; those behind the last iteration end. */
export function beginInvocation({ writer, size }: Emitter, iterations: Dim): void {
  writer.line(`let id = flat_group * ${workgroup} + lane;`);
  writer.line(`if (id >= ${size(iterations)}) { return; }`);
}

/** The shader of a body that begins so. */
export function invocationShader(
  { block }: Maker,
  kernel: Kernel,
  context: ShaderContext,
  body: string,
  iterations: Dim,
): Shader {
  const groups = [{ size: iterations, per: workgroup }];
  return shaderOf({ kernel, context, block, workgroup, body, groups });
}

export function invocationKernel(maker: Maker, kernel: Kernel): Shader {
  const kept = placeOfTiles(kernel, "invocations") === "private";
  const names = new Map<Stage, string>();
  const iterations = iterationsOf(kernel.grid);
  const context: ShaderContext = contextOf(
    maker,
    kernel,
    (stage, flat) => {
      if (kept) return `${names.get(stage)}[${flat}]`;
      // neighbours in memory are neighbours in the grid
      const total = sizeText(iterations, context.dims, context.functions);
      return tileInMemory(context, stage, `(${flat}) * ${total} + id`);
    },
    kept ? {} : { written: tileBuffers(kernel) },
  );
  const writer = makeWriter();
  const emitter = makeEmitter(writer, context);
  beginInvocation(emitter, iterations);
  unflatten(emitter, gridLoops(kernel), "id");
  kernel.stages.forEach((stage, n) => {
    const lists = kernel.lists?.find((each) => each.stage === n);
    if (stage.place.kind === "tile" && kept) {
      const name = writer.fresh("tile");
      names.set(stage, name);
      const elements = dim.constantOf(elementsOfTile(stage))!;
      writer.line(`var ${name}: array<${typeTexts[stage.value.type]}, ${Math.max(elements, 1)}>;`);
    }
    const value = (): string =>
      stage.combine === undefined ? emitter.scalar(stage.value) : reduce(emitter, stage, lists);
    if (stage.place.kind === "register") {
      emitter.define(stage, value());
      return;
    }
    if (stage.axes.length === 0) {
      storeResult(emitter, stage, value());
      return;
    }
    nest(emitter, stage.axes.map(loopOf), () => storeResult(emitter, stage, value()));
  });
  return invocationShader(maker, kernel, context, writer.text(), iterations);
}
