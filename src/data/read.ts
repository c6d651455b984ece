/** The sources of `data NAME from ...`: finds the files, reads them, gives a table. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { FileError, readBytes, shownPath } from "../files.ts";
import { arraysTable, isArrayFile, type NamedFile } from "./arrays.ts";
import { type CsvOptions, readCsv } from "./csv.ts";
import { DataError } from "./error.ts";
import { idxTable, isIdxFile } from "./idx-folder.ts";
import type { Table } from "./table.ts";

export interface SourceSpec {
  readonly kind: "csv" | "idx" | "arrays";
  /** as the program says it, relative to the program's folder */
  readonly path: string;
  readonly options?: CsvOptions;
}

export interface ReadSource {
  readonly table: Table;
  /** SHA-256 over the names and bytes of all files read: the same data, the same fingerprint */
  readonly fingerprint: string;
}

/** Errors: DataError with file, row and column. */
export function readSource(spec: SourceSpec, baseFolder: string): ReadSource {
  const files = sourceFiles(spec, baseFolder);
  return { table: tableOf(spec, files), fingerprint: fingerprintOf(files) };
}

/** The fingerprint alone, without reading numbers. */
export function fingerprintSource(spec: SourceSpec, baseFolder: string): string {
  return fingerprintOf(sourceFiles(spec, baseFolder));
}

function tableOf(spec: SourceSpec, files: readonly NamedFile[]): Table {
  switch (spec.kind) {
    case "csv":
      return readCsv(files[0]!.bytes, files[0]!.file, spec.options);
    case "idx":
      return idxTable(files);
    case "arrays":
      return arraysTable(files);
  }
}

const belongs: Readonly<Record<SourceSpec["kind"], (name: string) => boolean>> = {
  csv: () => true,
  idx: isIdxFile,
  arrays: isArrayFile,
};

const wanted: Readonly<Record<SourceSpec["kind"], string>> = {
  csv: "a .csv file",
  idx: "files like train-images-idx3-ubyte and train-labels-idx1-ubyte, or the same with .gz",
  arrays: ".npy, .npz or .safetensors files",
};

/** The one file, or the files of the folder that belong to this kind of source, by name. */
function sourceFiles(spec: SourceSpec, baseFolder: string): NamedFile[] {
  const path = resolve(baseFolder, spec.path);
  const file = shownPath(path);
  try {
    if (!statSync(path, { throwIfNoEntry: false })) throw new DataError("no such file or folder", { file });
    if (!statSync(path).isDirectory()) return [{ file, name: basename(path), bytes: readBytes(path) }];
    if (spec.kind === "csv") throw new DataError("this is a folder, not a .csv file", { file });
    const names = readdirSync(path)
      .filter((name) => belongs[spec.kind](name))
      .sort();
    // An archive and what was unpacked out of it hold the same.
    const single = names.filter((name) => !(name.endsWith(".gz") && names.includes(name.slice(0, -3))));
    if (single.length === 0) throw new DataError(`the folder has no ${wanted[spec.kind]}`, { file });
    return single.map((name) => ({
      file: shownPath(join(path, name)),
      name,
      bytes: readBytes(join(path, name)),
    }));
  } catch (error) {
    if (error instanceof FileError)
      throw new DataError(error.message.slice(error.message.indexOf(": ") + 2), {
        file: shownPath(error.path),
      });
    throw error;
  }
}

function fingerprintOf(files: readonly NamedFile[]): string {
  const hash = createHash("sha256");
  for (const { name, bytes } of files) {
    hash.update(`${name}\0${bytes.length}\0`);
    hash.update(bytes);
  }
  return hash.digest("hex");
}
