/**
 * A table out of arrays whose first axis is the rows: .npy, .npz and .safetensors files, one or a folder of them.
 * Splits are given by names: entries `train_image` and `test_image` (or `x_train`, `x_test`), or files train.npz and
 * test.npz.
 */
import { readNpy, readNpz, isNpy, type TextArray } from "../weights/npy.ts";
import { readSafetensors } from "../weights/safetensors.ts";
import { isZip } from "../weights/zip.ts";
import { unpacked } from "./compressed.ts";
import { DataError } from "./error.ts";
import { joinSplits, type Piece } from "./join-splits.ts";
import type { HostArray, SplitName, Table } from "./table.ts";

export interface NamedFile {
  /** as shown in errors */
  readonly file: string;
  /** last part of the path */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const splitWords: Readonly<Record<string, SplitName>> = {
  train: "train",
  valid: "valid",
  val: "valid",
  validation: "valid",
  test: "test",
};

/** `train_image` -> train, image; `x_test` -> test, x; others -> undefined, themselves. */
export function splitOfName(name: string): { split: SplitName | undefined; rest: string } {
  const words = /^([^_\-.]+)[_\-.](.+)$/.exec(name);
  const front = splitWords[words?.[1]?.toLowerCase() ?? ""];
  if (front !== undefined) return { split: front, rest: words![2]! };
  const back = /^(.+)[_\-.]([^_\-.]+)$/.exec(name);
  const behind = splitWords[back?.[2]?.toLowerCase() ?? ""];
  if (behind !== undefined) return { split: behind, rest: back![1]! };
  return { split: undefined, rest: name };
}

const stemOf = (name: string): string => name.replace(/\.gz$/, "").replace(/\.[^.]*$/, "");

export const isArrayFile = (name: string): boolean => /\.(npy|npz|safetensors)(\.gz)?$/.test(name);

/** The arrays of one file by name; the one array of a .npy file is called like the file. */
export function readArrays({ file, name, bytes: packed }: NamedFile): Map<string, HostArray | TextArray> {
  const bytes = unpacked(packed, file);
  if (isNpy(bytes)) return new Map([[stemOf(name), readNpy(bytes, { file })]]);
  if (isZip(bytes)) return readNpz(bytes, file);
  if (/\.safetensors(\.gz)?$/.test(name)) return new Map(readSafetensors(bytes, file).tensors);
  throw new DataError("this is none of .npy, .npz and .safetensors", { file });
}

/** Errors: DataError. Names are split by `train` and `test` only where no name is left over. */
export function arraysTable(files: readonly NamedFile[]): Table {
  const found: { file: string; split: SplitName | undefined; name: string; array: HostArray | TextArray }[] =
    [];
  for (const each of files) {
    const ofFile = splitWords[stemOf(each.name).toLowerCase()];
    for (const [name, array] of readArrays(each)) {
      const named = ofFile !== undefined && !/\.npy(\.gz)?$/.test(each.name);
      found.push({ file: each.file, split: named ? ofFile : undefined, name, array });
    }
  }
  const byName = found.map((entry) =>
    entry.split === undefined ? splitOfName(entry.name) : { split: entry.split, rest: entry.name },
  );
  const allSplit = byName.every(({ split }) => split !== undefined);
  const several = new Set(byName.map(({ split }) => split)).size > 1;
  const pieces = found.map(({ file, name, array, split }, at): Piece => {
    const use = allSplit && several ? byName[at]! : { split, rest: name };
    return { file, split: use.split, name: use.rest, array };
  });
  return joinSplits(pieces, files[0]?.file ?? "");
}
