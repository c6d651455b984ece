/**
 * A tiled contraction: for every batch element b is packed into panels (unless prepared, or read where it lies), then for
 * every block of rows and block of inner positions a is packed (unless it can be read where it lies) and the
 * micro-kernels run; the epilogue follows the last inner block.
 */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import type { Contraction, Kernel } from "../../ir/kernel.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import { readsOf } from "../access.ts";
import { defineFunction } from "./function-builder.ts";
import type { Expr } from "./code.ts";
import type { FunctionBuilder } from "./function-builder.ts";
import { makeEmitter } from "./make-emitter.ts";
import type { Emitter, EntryContext } from "./emitter.ts";
import { flatOf } from "../dependencies.ts";
import { defineEpilogue } from "./epilogue.ts";
import { tileColumns, tileRows } from "./micro-kernel.ts";
import type { LayoutA, MicroKernels } from "./micro-kernel.ts";
import { bindLoop } from "./nest.ts";
import { definePackA, layoutOfA } from "./pack-a.ts";
import { definePackB } from "./pack-b.ts";
import { viewOf } from "./panels.ts";
import { dimSymbols } from "./sizes.ts";
import type { View } from "./panels.ts";

/** Up to this many rows packing b costs more than it gains: a row-major b is then read where it lies. */
const mostRowsUnpacked = 128;
const mostColumnsUnpacked = 1024;
/** Lines this many bytes apart, or multiples of it, fall on few sets of the first cache: they are packed. */
const aliasingBytes = 1024;
/** threads that a kernel should have parts for */
const manyThreads = 4;
/** what a free dim is taken for in choices between kinds of code */
const typicalDim = 64;

/** An operand that micro-kernels read where it lies: one stride outside, one inside. */
interface Direct {
  readonly view: View;
  readonly outerStride: Dim;
  readonly innerStride: Dim;
}

function directOf(view: View): Direct | undefined {
  const { value } = view;
  if (value.kind !== "load" || value.buffer.dtype !== "f32" || value.guarded.length > 0) return undefined;
  if (view.outer.length > 1 || view.inner.length > 1) return undefined;
  const flat = flatOf(value);
  if (flat.computed.length > 0) return undefined;
  const stride = (axis: LoopAxis | undefined): Dim =>
    axis === undefined ? dim.zero : (flat.coefficients.get(axis) ?? dim.zero);
  return {
    view,
    outerStride: stride(view.outer[0]?.axis),
    innerStride: stride(view.inner[0]?.axis),
  };
}

interface PlanA {
  readonly layout: LayoutA;
  readonly direct: Direct | undefined;
}

function planA(contraction: Contraction): PlanA {
  const view = viewOf(contraction.a, contraction.rows, contraction.inner);
  const direct = directOf(view);
  if (direct !== undefined && (view.inner.length === 0 || dim.equal(direct.innerStride, dim.one)))
    return { layout: "rows", direct };
  if (
    direct !== undefined &&
    (view.outer.length === 0 || dim.equal(direct.outerStride, dim.one)) &&
    typical(direct.innerStride) % (aliasingBytes / 4) !== 0
  )
    return { layout: "columns", direct };
  return { layout: layoutOfA(view), direct: undefined };
}

function planB(contraction: Contraction): Direct | undefined {
  if (contraction.prepacked) return undefined;
  const columns = dim.constantOf(sizeOf(contraction.columns));
  if (columns === undefined || columns % tileColumns !== 0 || columns > mostColumnsUnpacked) return undefined;
  if (typical(sizeOf(contraction.rows)) > mostRowsUnpacked) return undefined;
  const direct = directOf(viewOf(contraction.b, contraction.columns, contraction.inner));
  return direct !== undefined && dim.equal(direct.outerStride, dim.one) ? direct : undefined;
}

const typical = (size: Dim): number =>
  dim.evaluate(size, new Map([...dim.symbolsOf(size)].map((name) => [name, typicalDim])));

const sizeOf = (axes: readonly LoopAxis[]): Dim => dim.product(axes.map((a) => a.size));

/** Walks all elements of a batch. */
function forBatch(
  fn: FunctionBuilder,
  emitter: Emitter,
  batch: readonly LoopAxis[],
  body: (indices: readonly Expr[]) => void,
  indices: readonly Expr[] = [],
): void {
  const [axis, ...rest] = batch;
  if (axis === undefined) {
    body(indices);
    return;
  }
  fn.count(fn.code.int(0), emitter.size(axis.size), 1, (i) => {
    emitter.enter();
    emitter.bind(axis, i);
    forBatch(fn, emitter, rest, body, [...indices, i]);
    emitter.leave();
  });
}

/** Panels of columns. */
interface Panels {
  readonly from: Expr;
  readonly to: Expr;
}

/** Packs b of one batch element, all of it or some panels, to `to`. */
function callPackB(
  emitter: Emitter,
  contraction: Contraction,
  name: string,
  indices: readonly Expr[],
  to: Expr,
  dims: readonly Expr[],
  panels?: Panels,
): void {
  const { fn, code } = emitter;
  const columns = emitter.size(sizeOf(contraction.columns));
  const innerCount = emitter.size(sizeOf(contraction.inner));
  const block = code.int(blockInnerOf(contraction));
  const first = panels ? fn.keep(code.mul(panels.from, code.int(tileColumns))) : code.int(0);
  const end = panels
    ? fn.keep(code.min(fn.keep(code.mul(panels.to, code.int(tileColumns))), columns))
    : columns;
  const at = fn.keep(to);
  fn.count(code.int(0), innerCount, block.known!, (inner) => {
    const k = fn.keep(code.min(fn.keep(code.sub(innerCount, inner)), block));
    const panelBytes = fn.keep(code.mul(k, code.int(4 * tileColumns)));
    if (panels) {
      const before = code.mul(
        inner,
        code.mul(columnPanelsOf(emitter, contraction), code.int(4 * tileColumns)),
      );
      fn.set(at, code.add(code.add(to, before), code.mul(panels.from, panelBytes)));
    }
    fn.count(first, end, tileColumns, (column) => {
      const count = fn.keep(code.min(fn.keep(code.sub(columns, column)), code.int(tileColumns)));
      fn.call(name, [...indices, column, count, inner, k, at, ...dims]);
      fn.set(at, code.add(at, panelBytes));
    });
  });
}

function columnPanelsOf(emitter: Emitter, { columns }: Contraction): Expr {
  const { code } = emitter;
  return code.op(
    "i32.shr_u",
    code.add(emitter.size(sizeOf(columns)), code.int(tileColumns - 1)),
    code.int(3),
  );
}

/** Inner positions of a block: how panels are cut, and how often accumulators wait in memory. */
function blockInnerOf(contraction: Contraction): number {
  const block = dim.constantOf(contraction.panelA.shape[1] ?? dim.zero);
  if (block === undefined) throw new InternalError("wasm", "panelA has no fixed size", undefined);
  return Math.max(block, 1);
}

/** Address of the panels of one batch element: prepared ones keep all elements, scratch holds one. */
function panelAddress(emitter: Emitter, contraction: Contraction, indices: readonly Expr[]): Expr {
  const { code } = emitter;
  const base = emitter.addressOf(contraction.panelB);
  if (!contraction.prepacked || indices.length === 0) return base;
  const columns = dim.constantOf(sizeOf(contraction.columns));
  if (columns === undefined)
    throw new InternalError("wasm", "prepared panels of a free number of columns", undefined);
  const rounded = Math.ceil(columns / tileColumns) * tileColumns;
  const bytes = dim.multiply(sizeOf(contraction.inner), dim.constant(4 * rounded));
  const element = contraction.batch.reduce<Expr>(
    (sum, axis, i) => code.add(code.mul(sum, emitter.size(axis.size)), indices[i]!),
    code.int(0),
  );
  return code.add(base, code.mul(element, emitter.size(bytes)));
}

/**
 * The order of the inner axes is free; it is that of b in memory, widest step first, and depends on b alone, so that
 * kernels may share prepared panels. Convolutions have the same order in a: runs along channels come last.
 */
function arranged(kernel: Kernel): Contraction {
  const contraction = kernel.contraction!;
  const first = readsOf([contraction.b]).loads[0]?.flat;
  const step = (axis: LoopAxis): number => {
    const coefficient = first?.coefficients.get(axis);
    return coefficient === undefined ? Infinity : Math.abs(typical(coefficient));
  };
  return { ...contraction, inner: [...contraction.inner].sort((x, y) => compare(step(y), step(x))) };
}

const compare = (x: number, y: number): number => (x === y ? 0 : x < y ? -1 : 1);

/** The step that fills a prepared panel. */
export function definePackStep(context: EntryContext, kernel: Kernel, name: string): void {
  const contraction = arranged(kernel);
  const dims = context.dims.map(() => "i32" as const);
  definePackB(context, contraction, `${name}.panel`);
  defineFunction(context.code, name, dims, undefined, (fn) => {
    const emitter = makeEmitter(fn, context, dimSymbols(context.dims, fn.parameters));
    emitter.enter();
    forBatch(fn, emitter, contraction.batch, (indices) => {
      const to = panelAddress(emitter, contraction, indices);
      callPackB(emitter, contraction, `${name}.panel`, indices, to, fn.parameters);
    });
    emitter.leave();
    return undefined;
  });
}

/** Defines the kernel's functions; the driver has the name given and takes the entry's dims. */
export function defineContractionKernel(
  context: EntryContext,
  kernel: Kernel,
  name: string,
  micro: MicroKernels,
): void {
  const contraction = arranged(kernel);
  const { code, threads } = context;
  const a = planA(contraction);
  const b = planB(contraction);
  const blockInner = blockInnerOf(contraction);
  const blockRows = dim.constantOf(contraction.panelA.shape[0]!) ?? tileRows;
  const block = micro.block(a.layout, b === undefined ? "panels" : "strided");
  const packsB = b === undefined && !contraction.prepacked;
  if (a.direct === undefined)
    definePackA(context, contraction, `${name}.a`, a.layout, a.layout === "rows" ? blockInner : blockRows);
  if (packsB) definePackB(context, contraction, `${name}.b`);
  defineEpilogue(context, kernel, contraction, `${name}.out`);

  const parameters = context.dims.map(() => "i32" as const);
  defineFunction(code, name, parameters, undefined, (fn) => {
    const emitter = makeEmitter(fn, context, dimSymbols(context.dims, fn.parameters));
    const dims = fn.parameters;
    emitter.enter();
    const rowCount = emitter.size(sizeOf(contraction.rows));
    const columnCount = emitter.size(sizeOf(contraction.columns));
    const innerCount = emitter.size(sizeOf(contraction.inner));
    const allPanels = columnPanelsOf(emitter, contraction);
    const division = threads && divide(contraction, a, blockRows);
    const panels = division === "columns" ? threads!.share(fn, allPanels) : undefined;
    const columnPanels = panels ? fn.keep(code.sub(panels.to, panels.from)) : allPanels;
    const column0 = panels ? fn.keep(code.mul(panels.from, code.int(tileColumns))) : code.int(0);
    const columnEnd = panels
      ? fn.keep(code.min(fn.keep(code.mul(panels.to, code.int(tileColumns))), columnCount))
      : columnCount;
    const tile = emitter.addressOf(contraction.tile);
    const bytes = (size: Dim, by = 4): Expr => emitter.size(dim.multiply(size, dim.constant(by)));

    /** packs a block of a where it is packed: address, bytes from one tile of rows and from one line to the next */
    const operandA = (
      indices: readonly Expr[],
      row: Expr,
      rows: Expr,
      inner: Expr,
      k: Expr,
    ): readonly Expr[] => {
      if (a.direct === undefined) {
        fn.call(`${name}.a`, [...indices, row, rows, inner, k, ...dims]);
        const line = a.layout === "rows" ? blockInner : blockRows;
        return [
          emitter.addressOf(contraction.panelA),
          code.int(a.layout === "rows" ? tileRows * line * 4 : tileRows * 4),
          code.int(line * 4),
        ];
      }
      const { view, outerStride, innerStride } = a.direct;
      const lda = a.layout === "rows" ? outerStride : innerStride;
      return [
        directAddress(emitter, view, row, inner),
        a.layout === "rows" ? bytes(lda, 4 * tileRows) : code.int(4 * tileRows),
        bytes(lda),
      ];
    };
    /** the same of b, by panels of columns and positions of inner */
    const operandB = (at: Expr, inner: Expr, k: Expr): readonly Expr[] =>
      b === undefined
        ? [
            code.add(
              code.add(at, code.mul(inner, code.mul(allPanels, code.int(4 * tileColumns)))),
              code.mul(column0, code.mul(k, code.int(4))),
            ),
            code.mul(k, code.int(4 * tileColumns)),
            code.int(4 * tileColumns),
          ]
        : [directAddress(emitter, b.view, column0, inner), code.int(4 * tileColumns), bytes(b.innerStride)];

    const element = (indices: readonly Expr[]): void => {
      const at = panelAddress(emitter, contraction, indices);
      if (packsB) {
        // where all threads read all panels, each packs some of them
        const own = division === "rows" ? threads!.share(fn, allPanels) : panels;
        callPackB(emitter, contraction, `${name}.b`, indices, at, dims, own);
        if (division === "rows") threads!.wait(fn);
      }
      const blocks = code.op("i32.div_u", code.add(rowCount, code.int(blockRows - 1)), code.int(blockRows));
      const part = division === "rows" ? threads!.share(fn, blocks) : undefined;
      const firstRow = part ? code.mul(part.from, code.int(blockRows)) : code.int(0);
      const rowEnd = part
        ? fn.keep(code.min(fn.keep(code.mul(part.to, code.int(blockRows))), rowCount))
        : rowCount;
      fn.count(firstRow, rowEnd, blockRows, (row) => {
        const rows = fn.keep(code.min(fn.keep(code.sub(rowCount, row)), code.int(blockRows)));
        const inner = fn.keep(code.int(0));
        fn.doWhile(code.op("i32.lt_s", inner, innerCount), () => {
          emitter.enter();
          const left = fn.keep(code.sub(innerCount, inner));
          const k = fn.keep(code.min(left, code.int(blockInner)));
          fn.call(block, [
            ...operandA(indices, row, rows, inner, k),
            ...operandB(at, inner, k),
            tile,
            rows,
            columnPanels,
            k,
            inner,
          ]);
          fn.set(inner, code.add(inner, code.int(blockInner)));
          emitter.leave();
        });
        fn.call(`${name}.out`, [...indices, row, rows, column0, columnEnd, ...dims]);
      });
    };
    if (division === "batch") {
      const part = threads!.share(fn, emitter.size(sizeOf(contraction.batch)));
      const number = fn.keep(code.int(0));
      forBatch(fn, emitter, contraction.batch, (indices) => {
        const isOwn = code.op("i32.lt_u", code.sub(number, part.from), code.sub(part.to, part.from));
        fn.when(isOwn, () => {
          emitter.enter();
          element(indices);
          emitter.leave();
        });
        fn.set(number, code.add(number, code.int(1)));
      });
    } else forBatch(fn, emitter, contraction.batch, element);
    emitter.leave();
    return undefined;
  });
}

/** What threads divide among them. */
type Division = "batch" | "rows" | "columns";

/** Columns where each thread has some panels: then each packs what it reads of b, and nobody waits. */
function divide({ batch, rows, columns }: Contraction, a: PlanA, blockRows: number): Division {
  if (batch.length > 0) return "batch";
  const rowBlocks = typical(sizeOf(rows)) / blockRows;
  // what is packed of a would be packed by each
  if (a.direct === undefined && rowBlocks >= 2 * manyThreads) return "rows";
  return typical(sizeOf(columns)) >= 2 * manyThreads * tileColumns ? "columns" : "rows";
}

/** Address of one element, for micro-kernels that walk on from there by strides. */
function directAddress(emitter: Emitter, view: View, outer: Expr, inner: Expr): Expr {
  const { code } = emitter;
  emitter.enter();
  if (view.outer[0] !== undefined) bindLoop(emitter, view.outer[0], outer);
  if (view.inner[0] !== undefined) bindLoop(emitter, view.inner[0], inner);
  const { value } = view;
  if (value.kind !== "load") throw new InternalError("wasm", "only loads lie in memory", undefined);
  const { base, offset } = emitter.address(value.buffer, flatOf(value));
  emitter.leave();
  return code.add(base, code.int(offset));
}
