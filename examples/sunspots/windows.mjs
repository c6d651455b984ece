// The monthly sunspot numbers as rows, in order of time: 48 months (`past`) and the one behind them (`next`).
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../safetensors.mjs";
import { readRObject } from "./r-data.mjs";

const months = 48;

/** Writes windows.safetensors into `folder`, where the files of R's package `datasets` lie. */
export function writeWindows(folder) {
  const series = readRObject(join(folder, "Rdata"), "sunspot.month");
  const rows = series.length - months;
  const past = Array.from({ length: rows }, (_, row) => series.slice(row, row + months)).flat();
  writeSafetensors(join(folder, "windows.safetensors"), {
    past: [[rows, months, 1], Float32Array.from(past)],
    next: [[rows], Float32Array.from(series.slice(months))],
  });
}

/** The series again, out of a file of windows. */
export function readSeries(path) {
  const bytes = readFileSync(path);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const [rows] = JSON.parse(bytes.toString("utf8", 8, start)).next.shape;
  const number = (at) => bytes.readFloatLE(start + 4 * at);
  return Array.from({ length: months + rows }, (_, i) => number(i < months ? i : rows * months + i - months));
}
