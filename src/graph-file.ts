/** Graphs in files: the text (.dlg), and beside it the numbers of large constants (.safetensors, by digest). */
import { existsSync } from "node:fs";
import type { Graph } from "../compiler/ir/graph.ts";
import { parseGraph } from "../compiler/ir/parse.ts";
import { printGraph, type GraphText } from "../compiler/ir/print.ts";
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

/** Errors: FileError, DataError, Failure with line and column where the text is no graph. */
export function readGraph(path: string): Graph {
  const parsed = parseGraph(readText(path), opNamed, readConstants(constantsFile(path)));
  if ("graph" in parsed) return parsed.graph;
  const { message, line, column } = parsed.problem;
  throw new Failure(message, { place: `${shownPath(path)}:${line}:${column}` });
}

/** Constants keep the f64 numbers of the reference; their dtypes are in the metadata. */
function encodeConstants(constants: GraphText["constants"]): Uint8Array {
  const arrays = new Map<string, HostArray>();
  const types = new Map<string, string>();
  for (const [digest, { dtype, shape, data }] of constants) {
    arrays.set(digest, { dtype: "f64", shape, data });
    types.set(digest, dtype);
  }
  return writeSafetensors(arrays, types);
}

/** Writes the text, and the constants where it has large ones. Errors: FileError. */
export function writeGraph(path: string, graph: Graph): void {
  const { text, constants } = printGraph(graph);
  if (constants.size > 0) writeFileAtomic(constantsFile(path), encodeConstants(constants));
  writeFileAtomic(path, text);
}
