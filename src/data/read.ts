/** The sources of `data NAME from ...`: finds the files, reads them, gives a table. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { FileError, readBytes, shownPath } from "../files.ts";
import { arraysTable, isArrayFile, type NamedFile } from "./arrays.ts";
import type { ColumnKind } from "./bind.ts";
import { readCsv, utf8Text } from "./csv.ts";
import { DataError } from "./error.ts";
import { idxTable, isIdxFile } from "./idx-folder.ts";
import { joinFiles, mixedColumns } from "./join-files.ts";
import { readJson } from "./json.ts";
import { splitNames, type Table } from "./table.ts";

export interface SourceSpec {
  readonly kind: "csv" | "json" | "idx" | "arrays" | "text";
  /** as the program says it, relative to the program's folder */
  readonly path: string;
  /** of text: further files, read behind the first */
  readonly also?: readonly string[];
  /** of csv and json: files that hold a split of their own */
  readonly given?: Readonly<Partial<Record<"valid" | "test", string>>>;
  /** of csv; the default is a comma */
  readonly delimiter?: string;
  /** of csv and json: what the program says of columns */
  readonly columns?: ReadonlyMap<string, ColumnKind>;
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
    case "json":
      return rowsTable(spec, files);
    case "idx":
      return idxTable(files);
    case "arrays":
      return arraysTable(files);
    case "text":
      return textTable(files);
  }
}

/** The first file is train where others are given for their splits, which come in this order. */
function rowsTable(spec: SourceSpec, files: readonly NamedFile[]): Table {
  const { given = {}, columns } = spec;
  const read = (names: ReadonlySet<string>): Table[] => files.map((file) => rowsOfFile(spec, file, names));
  let tables = read(new Set());
  const mixed = spec.kind === "csv" ? mixedColumns(tables) : new Set<string>();
  if (mixed.size > 0) tables = read(mixed);
  if (tables.length === 1) return tables[0]!;
  const splits = splitNames.filter((name) => name === "train" || given[name] !== undefined);
  return joinFiles(
    tables.map((table, i) => ({ split: splits[i]!, table })),
    (name) => columns?.has(name) === true,
  );
}

function rowsOfFile(
  { kind, delimiter, columns }: SourceSpec,
  { bytes, file }: NamedFile,
  names: ReadonlySet<string>,
): Table {
  if (kind === "json") return readJson(bytes, file, columns);
  const kinds = new Map<string, "name" | "text">();
  for (const name of names) kinds.set(name, "name");
  for (const [name, declared] of columns ?? []) if (declared === "text") kinds.set(name, "text");
  return readCsv(bytes, file, { kinds, ...(delimiter === undefined ? {} : { delimiter }) });
}

const belongs: Readonly<Record<SourceSpec["kind"], (name: string) => boolean>> = {
  csv: () => true,
  json: () => true,
  idx: isIdxFile,
  arrays: isArrayFile,
  text: (name) => name.endsWith(".txt"),
};

const wanted: Readonly<Record<SourceSpec["kind"], string>> = {
  csv: "a .csv file",
  json: "a .json file",
  idx: "files like train-images-idx3-ubyte and train-labels-idx1-ubyte, or the same with .gz",
  arrays: ".npy, .npz or .safetensors files",
  text: ".txt files",
};

/** One text a row, as the files hold it, with line ends of one character. */
function textTable(files: readonly NamedFile[]): Table {
  const data = files.map(({ bytes, file }) => utf8Text(bytes, file).replaceAll("\r\n", "\n"));
  return {
    rows: data.length,
    columns: [{ kind: "text", name: "text", dtype: "text", shape: [], data }],
    parts: files.map(({ file }) => ({ file, rows: 1 })),
    whole: true,
  };
}

/** For each path the one file, or the files of the folder that belong to this kind of source, by name. */
function sourceFiles(spec: SourceSpec, baseFolder: string): NamedFile[] {
  const { valid, test } = spec.given ?? {};
  const given = [valid, test].filter((path) => path !== undefined);
  return [spec.path, ...(spec.also ?? []), ...given].flatMap((path) =>
    filesAt(spec, resolve(baseFolder, path)),
  );
}

function filesAt(spec: SourceSpec, path: string): NamedFile[] {
  const file = shownPath(path);
  try {
    if (!statSync(path, { throwIfNoEntry: false })) throw new DataError("no such file or folder", { file });
    if (!statSync(path).isDirectory()) return [{ file, name: basename(path), bytes: readBytes(path) }];
    if (spec.kind === "csv" || spec.kind === "json")
      throw new DataError(`this is a folder, not a .${spec.kind} file`, { file });
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
