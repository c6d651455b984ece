/** The epilogue of a contraction: reads the tiles of a block of rows, row by row, and runs the map stages on them. */
import * as dim from "../../ir/dim.ts";
import { buffersStored } from "../../ir/kernel.ts";
import type { Contraction, Kernel } from "../../ir/kernel.ts";
import { flatsOf, mergeLoops, readsOf } from "../access.ts";
import type { EntryContext } from "./emitter.ts";
import { tileBytes, tileColumns, tileRows } from "./micro-kernel.ts";
import { inLanes } from "./nest.ts";
import { bindAll, defineForBatch, takeApart } from "./panels.ts";
import { writeStages } from "./stages.ts";

/** name(batch..., row0, rows, column0, columns, dims...); the tiles begin with column0, a multiple of 8, and end before columns */
export function defineEpilogue(
  context: EntryContext,
  kernel: Kernel,
  contraction: Contraction,
  name: string,
): void {
  const { code } = context;
  const [product, ...stages] = kernel.stages;
  const reads = readsOf(stages.map((s) => s.value));
  const flats = flatsOf(reads, stages);
  const rowLoops = mergeLoops(contraction.rows, flats, reads.fixed);
  const columnLoops = mergeLoops(contraction.columns, flats, reads.fixed);
  const last = columnLoops.at(-1);
  const lanes =
    last !== undefined &&
    (columnLoops.length === 1 || (dim.constantOf(last.size) ?? 1) % tileColumns === 0) &&
    !reads.guards.some((g) => g.index.terms.some((t) => t.axis === last.axis));
  defineForBatch(
    context,
    contraction,
    name,
    ["row0", "rows", "column0", "columns"],
    (emitter, { row0, rows, column0, columns }) => {
      const { fn } = emitter;
      for (const buffer of buffersStored(stages)) emitter.written.add(buffer);
      const line = fn.keep(emitter.addressOf(contraction.tile));
      const rowPanels = code.op("i32.div_u", code.add(rows, code.int(tileRows - 1)), code.int(tileRows));
      const panelBytes = fn.keep(code.mul(rowPanels, code.int(tileBytes)));
      const full = fn.keep(lanes ? code.op("i32.and", columns, code.int(-tileColumns)) : column0);
      fn.count(row0, fn.keep(code.add(row0, rows)), 1, (row) => {
        emitter.enter();
        bindAll(emitter, rowLoops, takeApart(emitter, rowLoops, row));
        const tile = fn.keep(line);
        if (lanes)
          fn.count(column0, full, tileColumns, (column) => {
            emitter.enter();
            const values = takeApart(emitter, columnLoops, column);
            bindAll(emitter, columnLoops, values);
            const pair = inLanes([emitter], last, values.at(-1)!, 2);
            pair.forEach((each, half) =>
              each.setResult(product!, fn.keep(code.load("v128", tile, 16 * half)), true),
            );
            writeStages(pair, stages, true);
            fn.set(tile, code.add(tile, panelBytes));
            emitter.leave();
          });
        fn.count(full, columns, 1, (column) => {
          emitter.enter();
          bindAll(emitter, columnLoops, takeApart(emitter, columnLoops, column));
          const within = code.op("i32.and", column, code.int(tileColumns - 1));
          const at = fn.keep(code.add(tile, code.mul(within, code.int(4))));
          emitter.setResult(product!, fn.keep(code.load("f32", at)), false);
          writeStages([emitter], stages, true);
          fn.when(code.op("i32.eq", within, code.int(tileColumns - 1)), () =>
            fn.set(tile, code.add(tile, panelBytes)),
          );
          emitter.leave();
        });
        // a row panel holds its 6 rows one after the other, and the next panel follows
        fn.set(line, code.add(line, code.int(4 * tileColumns)));
        emitter.leave();
      });
    },
  );
}
