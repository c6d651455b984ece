/**
 * A contraction by blocks: a workgroup computes a block of rows and columns, step by step over the inner positions.
 * Both operands of a step are put into workgroup memory, zero where there is no row, column or position; each invocation
 * keeps 4 x 4 accumulators, and adds in rising order. The operands are scalar code of their own (an implicit GEMM
 * computes the addresses of a convolution there), and so is what follows the sum.
 */
import * as dim from "../../ir/dim.ts";
import type { Kernel, Stage } from "../../ir/kernel.ts";
import type { LoopAxis, Scalar } from "../../ir/scalar.ts";
import { roughly } from "../../lower/program.ts";
import { flatsOf, mergeLoops, readsOf } from "../access.ts";
import type { Loop } from "../access.ts";
import { flatOf } from "../dependencies.ts";
import { makeEmitter } from "./emitter.ts";
import { storeResult } from "./invocation-kernel.ts";
import { unflatten } from "./reductions.ts";
import { contextOf, shaderOf } from "./shader.ts";
import type { Maker, Shader } from "./shader.ts";
import { makeWriter } from "./writer.ts";

/** rows and columns of an invocation's accumulators */
const each = 4;

const countOf = (axes: readonly LoopAxis[]): dim.Dim => dim.product(axes.map(({ size }) => size));

/** Rows (columns) of a block: of few there are few, so that no invocations are idle. */
function sideOf(axes: readonly LoopAxis[]): number {
  const size = roughly(countOf(axes));
  return size <= 16 ? 16 : size <= 32 ? 32 : 64;
}

export function tileKernel(maker: Maker, kernel: Kernel): Shader {
  const { batch, rows, columns, inner, a, b } = kernel.contraction!;
  const [product, ...epilogue] = kernel.stages as [Stage, ...Stage[]];
  const [blockRows, blockColumns] = [sideOf(rows), sideOf(columns)];
  const [threadRows, threadColumns] = [blockRows / each, blockColumns / each];
  const workgroup = threadRows * threadColumns;
  const depth = Math.max(8, Math.min(16, workgroup / 16));
  const context = contextOf(maker, kernel, () => "");
  const [allRows, allColumns, allInner] = [countOf(rows), countOf(columns), countOf(inner)];

  const reads = readsOf([a, b, ...epilogue.map(({ value }) => value)]);
  const flats = flatsOf(reads, epilogue);
  const merged = (axes: readonly LoopAxis[]): readonly Loop[] => mergeLoops(axes, flats, reads.fixed);
  const batches = merged(batch);

  /** A function of the batch and two positions. */
  const define = (
    head: string,
    parts: readonly { readonly loops: readonly Loop[]; readonly at: string }[],
    body: (emitter: ReturnType<typeof makeEmitter>) => void,
  ): string => {
    const writer = makeWriter();
    const emitter = makeEmitter(writer, context);
    for (const { loops, at } of parts) unflatten(emitter, loops, at);
    body(emitter);
    return `fn ${head} {\n${writer.text()}\n}`;
  };
  const operand = (name: string, value: Scalar, loops: readonly Loop[]): string =>
    define(
      `${name}(block: i32, side: i32, position: i32) -> f32`,
      [
        { loops: batches, at: "block" },
        { loops, at: "side" },
        { loops: merged(inner), at: "position" },
      ],
      (emitter) => emitter.writer.line(`return ${emitter.scalar(value)};`),
    );
  const finish = define(
    "finish(block: i32, row: i32, column: i32, total: f32)",
    [
      { loops: batches, at: "block" },
      { loops: merged(rows), at: "row" },
      { loops: merged(columns), at: "column" },
    ],
    (emitter) => {
      emitter.define(product, "total");
      for (const stage of epilogue) storeResult(emitter, stage, emitter.scalar(stage.value));
    },
  );

  const writer = makeWriter();
  const { size, open, close } = makeEmitter(writer, context);
  const { line } = writer;
  const [m, n, k] = [size(allRows), size(allColumns), size(allInner)];
  line(`let row_blocks = (${m} + ${blockRows - 1}) / ${blockRows};`);
  line(`let column_blocks = (${n} + ${blockColumns - 1}) / ${blockColumns};`);
  line(`if (flat_group >= ${size(countOf(batch))} * row_blocks * column_blocks) { return; }`);
  line("let block = flat_group / (row_blocks * column_blocks);");
  line(`let first_row = flat_group / column_blocks % row_blocks * ${blockRows};`);
  line(`let first_column = flat_group % column_blocks * ${blockColumns};`);
  line(`let own_row = lane / ${threadColumns} * ${each};`);
  line(`let own_column = lane % ${threadColumns} * ${each};`);
  for (let i = 0; i < each; i++) line(`var sum${i} = vec4<f32>(0f);`);
  open(`for (var start = 0; start < ${k}; start += ${depth}) {`);
  const fill = (
    name: string,
    value: Scalar,
    axes: readonly LoopAxis[],
    side: number,
    first: string,
    limit: string,
  ): void => {
    // neighbours among the invocations are neighbours in memory
    const alongInner = isContiguous(value, merged(inner).at(-1)) && !isContiguous(value, merged(axes).at(-1));
    open(`for (var e = lane; e < ${side * depth}; e += ${workgroup}) {`);
    line(`let s = ${alongInner ? `e / ${depth}` : `e % ${side}`};`);
    line(`let p = ${alongInner ? `e % ${depth}` : `e / ${side}`};`);
    line(`var value = 0f;`);
    line(
      `if (${first} + s < ${limit} && start + p < ${k}) { value = operand_${name}(block, ${first} + s, start + p); }`,
    );
    line(`block_${name}[p * ${side} + s] = value;`);
    close();
  };
  fill("a", a, rows, blockRows, "first_row", m);
  fill("b", b, columns, blockColumns, "first_column", n);
  line("workgroupBarrier();");
  open(`for (var p = 0; p < ${depth}; p++) {`);
  line(`let at = p * ${blockColumns} + own_column;`);
  line("let y = vec4<f32>(block_b[at], block_b[at + 1], block_b[at + 2], block_b[at + 3]);");
  for (let i = 0; i < each; i++) line(`sum${i} += block_a[p * ${blockRows} + own_row + ${i}] * y;`);
  close();
  line("workgroupBarrier();");
  close();
  line(
    `var sums = array<vec4<f32>, ${each}>(${Array.from({ length: each }, (_, i) => `sum${i}`).join(", ")});`,
  );
  open(`for (var i = 0; i < ${each}; i++) {`);
  open(`for (var j = 0; j < ${each}; j++) {`);
  line("let row = first_row + own_row + i;");
  line("let column = first_column + own_column + j;");
  line(`if (row < ${m} && column < ${n}) { finish(block, row, column, sums[i][j]); }`);
  close();
  close();
  return shaderOf({
    kernel,
    context,
    block: maker.block,
    workgroup,
    declarations: [
      `var<workgroup> block_a: array<f32, ${blockRows * depth}>;`,
      `var<workgroup> block_b: array<f32, ${blockColumns * depth}>;`,
      operand("operand_a", a, merged(rows)),
      operand("operand_b", b, merged(columns)),
      finish,
    ],
    body: writer.text(),
    groups: [
      { size: countOf(batch), per: 1 },
      { size: allRows, per: blockRows },
      { size: allColumns, per: blockColumns },
    ],
  });
}

/** Whether some load of the value is contiguous along this loop. */
function isContiguous(value: Scalar, loop: Loop | undefined): boolean {
  if (!loop) return false;
  return readsOf([value]).loads.some(({ node }) => {
    const step = flatOf(node).coefficients.get(loop.axis);
    return step !== undefined && dim.equal(step, dim.one);
  });
}
