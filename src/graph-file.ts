/** Graphs in files: the text (.dlg), and beside it the numbers of large constants (.safetensors, by digest). */
import { existsSync } from "node:fs";
import type { Graph } from "../compiler/ir/graph.ts";
import { parseGraphs } from "../compiler/ir/parse.ts";
import { printGraph, type PrintOptions } from "../compiler/ir/print.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import type { DType } from "../compiler/ir/type.ts";
import { opNamed } from "../compiler/ops/index.ts";
import type { HostArray } from "./data/table.ts";
import { Failure } from "./failure.ts";
import { readBytes, readText, shownPath, writeFileAtomic } from "./files.ts";
import { readSafetensors, writeSafetensors } from "./weights/safetensors.ts";

const dtypes: readonly DType[] = ["f32", "f16", "i32", "u8", "bool"];

function constantsFile(path: string): string {
  return `${path.replace(/\.dlg$/, "")}.safetensors`;
}

function readConstants(path: string): Map<string, Tensor> {
  if (!existsSync(path)) return new Map();
  const { tensors, metadata } = readSafetensors(readBytes(path), shownPath(path));
  return new Map(
    [...tensors].map(([digest, { shape, data, dtype }]) => {
      const said = dtypes.find((each) => each === metadata.get(digest));
      return [digest, tensor(said ?? (dtype === "f64" ? "f32" : dtype), shape, data)];
    }),
  );
}

/** One graph or several. Errors: FileError, DataError, Failure with line and column where the text holds none. */
export function readGraphs(path: string): readonly Graph[] {
  const parsed = parseGraphs(readText(path), opNamed, readConstants(constantsFile(path)));
  if ("graphs" in parsed) return parsed.graphs;
  const { message, line, column } = parsed.problem;
  throw new Failure(message, { place: `${shownPath(path)}:${line}:${column}` });
}

/** Constants keep the f64 numbers of the reference; their dtypes are in the metadata. */
function encodeConstants(constants: ReadonlyMap<string, Tensor>): Uint8Array {
  const arrays = new Map<string, HostArray>();
  const types = new Map<string, string>();
  for (const [digest, { dtype, shape, data }] of constants) {
    arrays.set(digest, { dtype: "f64", shape, data });
    types.set(digest, dtype);
  }
  return writeSafetensors(arrays, types);
}

/** The text of graphs, an empty line between them, and their large constants by digest. */
export function printGraphs(
  graphs: readonly Graph[],
  options?: PrintOptions,
): {
  readonly text: string;
  readonly constants: ReadonlyMap<string, Tensor>;
} {
  const printed = graphs.map((graph) => printGraph(graph, options));
  return {
    text: printed.map(({ text }) => text).join("\n"),
    constants: new Map(printed.flatMap(({ constants }) => [...constants])),
  };
}

/** Writes the text, and the constants where it has large ones. Errors: FileError. */
export function writeGraphs(path: string, graphs: readonly Graph[]): void {
  const { text, constants } = printGraphs(graphs);
  if (constants.size > 0) writeFileAtomic(constantsFile(path), encodeConstants(constants));
  writeFileAtomic(path, text);
}
