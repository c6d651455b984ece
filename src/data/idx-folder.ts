/** A folder of IDX files as MNIST names them -> a table: train-images-idx3-ubyte, t10k-labels-idx1-ubyte.gz, ... */
import type { NamedFile } from "./arrays.ts";
import { DataError } from "./error.ts";
import { readIdx } from "./idx.ts";
import { joinSplits, type Piece } from "./join-splits.ts";
import type { SplitName, Table } from "./table.ts";

const splitWords: Readonly<Record<string, SplitName>> = {
  train: "train",
  valid: "valid",
  val: "valid",
  t10k: "test",
  test: "test",
};

/** Split, content and number of axes; `images.idx3-ubyte` and `train-images-idx3-ubyte.gz` alike. */
const pattern = /^(?:([a-z0-9]+)[-_])?(.+?)[-_.]idx(\d)[-_.]?(?:u?byte|short|int|float|double)?(?:\.gz)?$/i;

export const isIdxFile = (name: string): boolean => pattern.test(name);

/** `images` -> `image`: a column is named for one row. */
const singular = (word: string): string => word.replace(/s$/, "");

/** A column and split out of the file's name; a file of another name is one column called like it. */
function readName(name: string): { split: SplitName | undefined; column: string } {
  const match = pattern.exec(name);
  if (!match) return { split: undefined, column: name.replace(/(\.gz)?$/, "").replace(/\.[^.]*$/, "") };
  const split = splitWords[match[1]?.toLowerCase() ?? ""];
  const word = split === undefined && match[1] !== undefined ? `${match[1]}-${match[2]}` : match[2]!;
  return { split, column: singular(word) };
}

/** Errors: DataError. */
export function idxTable(files: readonly NamedFile[]): Table {
  const pieces = files.map(({ file, name, bytes }): Piece => {
    const { split, column } = readName(name);
    return { file, split, name: column, array: readIdx(bytes, file) };
  });
  const splits = new Set(pieces.map(({ split }) => split));
  if (splits.size > 1 && splits.has(undefined)) {
    const odd = pieces.find(({ split }) => split === undefined)!;
    throw new DataError("the name says no split (train, t10k), those of the other files do", {
      file: odd.file,
    });
  }
  return joinSplits(pieces, files[0]?.file ?? "");
}
