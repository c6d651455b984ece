/**
 * A kernel whose iterations are workgroups: invocations share the positions of each stage. A reduction is a part an
 * invocation, then a tree over the parts in workgroup memory, so its order depends on the reduced sizes alone.
 */
import * as dim from "../../ir/dim.ts";
import type { Kernel, Stage } from "../../ir/kernel.ts";
import { placeOfTiles, roughly } from "../../lower/program.ts";
import { flatsOf, loopOf, mergeLoops, readsOf } from "../access.ts";
import type { Loop } from "../access.ts";
import { makeEmitter, sizeText, typeTexts } from "./emitter.ts";
import type { Emitter, ShaderContext } from "./emitter.ts";
import { gridLoops, storeResult, tileBuffers, tileInMemory } from "./invocation-kernel.ts";
import { accumulate, better, combined, declare, isPosition, nest, overLoops, reduce, resultType, unflatten } from "./reductions.ts"; // prettier-ignore
import { contextOf, elementsOfTile, iterationsOf, shaderOf } from "./shader.ts";
import type { Maker, Shader } from "./shader.ts";
import { makeWriter } from "./writer.ts";

/** invocations of a workgroup: more of them for loops that are at least this long */
const [small, large, long] = [64, 256, 256];

const countOf = (axes: readonly { readonly size: dim.Dim }[]): dim.Dim =>
  dim.product(axes.map(({ size }) => size));

export function workgroupKernel(maker: Maker, kernel: Kernel): Shader {
  const longest = Math.max(
    ...kernel.stages.map(({ axes, over }) => Math.max(roughly(countOf(axes)), roughly(countOf(over)))),
  );
  const workgroup = longest >= long ? large : small;
  const kept = placeOfTiles(kernel, "workgroups") === "workgroup";
  const names = new Map<Stage, string>();
  const context: ShaderContext = contextOf(
    maker,
    kernel,
    (stage, flat) => {
      if (kept) return `${names.get(stage)}[${flat}]`;
      const elements = sizeText(elementsOfTile(stage), context.dims, context.functions);
      return tileInMemory(context, stage, `flat_group * ${elements} + (${flat})`);
    },
    kept ? {} : { written: tileBuffers(kernel) },
  );
  const declarations = new Set<string>();
  const writer = makeWriter();
  const emitter = makeEmitter(writer, context);
  const iterations = iterationsOf(kernel.grid);
  writer.line(`if (flat_group >= ${emitter.size(iterations)}) { return; }`);
  unflatten(emitter, gridLoops(kernel), "flat_group");

  const sharedReduce = (stage: Stage): string => {
    const into = declare(emitter, stage);
    const position = isPosition(stage);
    const type = typeTexts[stage.value.type];
    const parts = `parts_${type}`;
    declarations.add(`var<workgroup> ${parts}: array<${type}, ${workgroup}>;`);
    if (position) declarations.add(`var<workgroup> places: array<i32, ${workgroup}>;`);
    const loops = overLoops(stage);
    share(emitter, workgroup, loops, () => accumulate(emitter, stage, into, stage.value));
    writer.line(`${parts}[lane] = ${into.value};`);
    if (position) writer.line(`places[lane] = ${into.position};`);
    writer.line("workgroupBarrier();");
    const half = writer.fresh("half");
    writer.open(`for (var ${half} = ${workgroup / 2}; ${half} > 0; ${half} = ${half} / 2) {`);
    writer.open(`if (lane < ${half}) {`);
    const [a, b] = [`${parts}[lane]`, `${parts}[lane + ${half}]`];
    if (position) {
      const [p, q] = ["places[lane]", `places[lane + ${half}]`];
      writer.open(`if (${better(stage, a, b)} || (${a} == ${b} && ${q} < ${p})) {`);
      writer.line(`${a} = ${b};`);
      writer.line(`${p} = ${q};`);
      writer.close();
    } else writer.line(`${a} = ${combined(stage, a, b)};`);
    writer.close();
    writer.line("workgroupBarrier();");
    writer.close();
    const result = writer.fresh("v");
    writer.line(`let ${result} = ${position ? "places" : parts}[0];`);
    writer.line("workgroupBarrier();");
    return result;
  };

  kernel.stages.forEach((stage, n) => {
    const { place, axes } = stage;
    if (place.kind === "tile" && kept) {
      const name = `tile_${n}`;
      names.set(stage, name);
      const elements = dim.constantOf(elementsOfTile(stage))!;
      declarations.add(
        `var<workgroup> ${name}: array<${typeTexts[stage.value.type]}, ${Math.max(elements, 1)}>;`,
      );
    }
    const sharesSum =
      stage.combine !== undefined &&
      roughly(countOf(stage.over)) > 1 &&
      roughly(countOf(axes)) * 4 <= Math.min(workgroup, roughly(countOf(stage.over)));
    if (axes.length > 0 && !sharesSum) {
      const reads = readsOf([stage.value]);
      const loops = mergeLoops(axes, flatsOf(reads, [stage]), reads.fixed);
      share(emitter, workgroup, loops, () =>
        storeResult(
          emitter,
          stage,
          stage.combine === undefined ? emitter.scalar(stage.value) : reduce(emitter, stage, undefined),
        ),
      );
    } else
      nest(emitter, axes.map(loopOf), () => {
        const value =
          stage.combine === undefined
            ? emitter.scalar(stage.value)
            : sharesSum
              ? sharedReduce(stage)
              : reduce(emitter, stage, undefined);
        if (place.kind === "register") {
          const name = writer.fresh("r");
          writer.line(`let ${name}: ${resultType(stage)} = ${value};`);
          emitter.define(stage, name);
          return;
        }
        emitter.open("if (lane == 0) {");
        storeResult(emitter, stage, value);
        emitter.close();
      });
    // what a stage has stored or still reads, the next one reads or overwrites
    if (n + 1 < kernel.stages.length && place.kind !== "register") {
      writer.line("workgroupBarrier();");
      writer.line("storageBarrier();");
    }
  });
  return shaderOf({
    kernel,
    context,
    block: maker.block,
    workgroup,
    declarations: [...declarations],
    body: writer.text(),
    groups: [{ size: iterations, per: 1 }],
  });
}

/** Deals the positions of loops to the invocations of a workgroup, neighbours to neighbours. */
function share(emitter: Emitter, workgroup: number, loops: readonly Loop[], body: () => void): void {
  const total = emitter.size(countOf(loops));
  const i = emitter.writer.fresh("i");
  emitter.open(`for (var ${i} = lane; ${i} < ${total}; ${i} += ${workgroup}) {`);
  const position = emitter.keep(`i32(${i})`);
  unflatten(emitter, loops, position);
  body();
  emitter.close();
}
