/** Predictions as files: .json, .csv, .npz, .safetensors. */
import type { HostArray } from "../data/table.ts";
import { writeNpz } from "./npy.ts";
import { writeSafetensors } from "./safetensors.ts";

export interface NamedOutput {
  readonly name: string;
  /** rows * width numbers */
  readonly data: Float32Array | Int32Array | Uint8Array;
  readonly width: number;
  /** of one row */
  readonly shape: readonly number[];
  readonly classes: readonly string[] | undefined;
}

export const outputFormats: readonly string[] = [".json", ".csv", ".npz", ".safetensors"];

export function encodeOutputs(outputs: readonly NamedOutput[], rows: number, format: string): Uint8Array {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  switch (format) {
    case ".json":
      return text(JSON.stringify(Object.fromEntries(outputs.map((o) => [o.name, nested(o, rows)]))) + "\n");
    case ".csv":
      return text(csv(outputs, rows));
    case ".npz":
      return writeNpz(arrays(outputs, rows));
    default:
      return writeSafetensors(arrays(outputs, rows));
  }
}

function arrays(outputs: readonly NamedOutput[], rows: number): Map<string, HostArray> {
  return new Map(
    outputs.map(({ name, data, shape }) => [
      name,
      {
        dtype: data instanceof Float32Array ? "f32" : data instanceof Int32Array ? "i32" : "u8",
        shape: [rows, ...shape],
        data,
      },
    ]),
  );
}

function nested({ data, width, shape }: NamedOutput, rows: number): unknown[] {
  const build = (at: number, sizes: readonly number[]): unknown => {
    const [size, ...rest] = sizes;
    if (size === undefined) return data[at];
    const step = rest.reduce((a, b) => a * b, 1);
    return Array.from({ length: size }, (_, i) => build(at + i * step, rest));
  };
  return Array.from({ length: rows }, (_, row) => build(row * width, shape));
}

/** A column for each number of a row, named by its class where there are names. */
function csv(outputs: readonly NamedOutput[], rows: number): string {
  const quoted = (name: string): string => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
  const header = outputs.flatMap(({ name, width, classes }) =>
    width === 1 ? [name] : Array.from({ length: width }, (_, i) => `${name}.${classes?.[i] ?? i}`),
  );
  const lines = [header.map(quoted).join(",")];
  for (let row = 0; row < rows; row++)
    lines.push(
      outputs
        .flatMap(({ data, width }) => Array.from(data.subarray(row * width, (row + 1) * width)))
        .join(","),
    );
  return lines.join("\n") + "\n";
}
