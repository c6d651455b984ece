// The monthly sunspot numbers as rows, in order of time: 48 months (`past`) and the one behind them (`next`).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRObject } from "./r-data.mjs";

const months = 48;

/** Writes windows.safetensors into `folder`, where the files of R's package `datasets` lie. */
export function writeWindows(folder) {
  const series = readRObject(join(folder, "Rdata"), "sunspot.month");
  const rows = series.length - months;
  const numbers = Float32Array.from([
    ...Array.from({ length: rows }, (_, row) => series.slice(row, row + months)).flat(),
    ...series.slice(months),
  ]);
  const border = 4 * rows * months;
  const header = Buffer.from(
    JSON.stringify({
      past: { dtype: "F32", shape: [rows, months, 1], data_offsets: [0, border] },
      next: { dtype: "F32", shape: [rows], data_offsets: [border, 4 * numbers.length] },
    }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(
    join(folder, "windows.safetensors"),
    Buffer.concat([length, header, new Uint8Array(numbers.buffer)]),
  );
}

/** The series again, out of a file of windows. */
export function readSeries(path) {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const [rows] = JSON.parse(bytes.toString("utf8", 8, start)).next.shape;
  const number = (at) => bytes.readFloatLE(start + 4 * at);
  return Array.from({ length: months + rows }, (_, i) => number(i < months ? i : rows * months + i - months));
}
