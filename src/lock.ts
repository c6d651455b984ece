/**
 * `dlm.lock`, beside the program: what `dlmc fit` found in the data, so that checking and compiling need no data.
 * Facts by data block, fitted numbers by model. Commit it.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ColumnFacts, DataFacts } from "../compiler/check/flow/facts.ts";
import { DataError } from "./data/error.ts";
import { shortFingerprint } from "./data/fingerprint.ts";
import { shownPath, writeFileAtomic } from "./files.ts";

const format = 1;

interface LockedData {
  /** of the source's names and bytes, and of what the block says of rows and columns */
  readonly fingerprint: string;
  readonly facts: Omit<DataFacts, "columns"> & { readonly columns: Readonly<Record<string, ColumnFacts>> };
}

interface LockFile {
  readonly format: number;
  readonly data: Record<string, LockedData>;
  /** `program.dlm#Model` -> state path -> numbers */
  readonly fitted: Record<string, Record<string, readonly number[]>>;
}

export interface Lock {
  readonly path: string;
  facts(key: string): DataFacts | undefined;
  fingerprint(key: string): string | undefined;
  fitted(key: string): ReadonlyMap<string, readonly number[]> | undefined;
  setData(key: string, fingerprint: string, facts: DataFacts): void;
  setFitted(key: string, values: ReadonlyMap<string, ArrayLike<number>>): void;
  /** writes the file where something changed */
  save(): boolean;
}

/** Keys name files by their last part: a lock and its programs move together. */
export function lockKey(key: string): string {
  const hash = key.indexOf("#");
  return basename(key.slice(0, hash)) + key.slice(hash);
}

type Check = (value: unknown) => boolean;

const isNumber: Check = (value) => typeof value === "number";
const isText: Check = (value) => typeof value === "string";
const isList =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(item);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isRecordOf =
  (item: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every(item);

/** Fields that may be missing have the types given; others may be there. */
const hasFields =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isRecord(value) &&
    Object.entries(fields).every(([name, check]) => value[name] === undefined || check(value[name]));

const isColumn = hasFields({
  kind: (kind) => kind === "number" || kind === "text" || kind === "array",
  at: hasFields({ line: isNumber, column: isNumber }),
  dtype: isText,
  shape: isList(isNumber),
  least: isNumber,
  greatest: isNumber,
  trainLeast: isNumber,
  categories: isList(isText),
});

const isFacts = hasFields({
  file: isText,
  rows: isNumber,
  columns: isRecordOf((column) => isRecord(column) && "kind" in column && isColumn(column)),
  splits: (splits) => isRecord(splits) && "train" in splits && isRecordOf(isNumber)(splits),
  shared: (shared) => isRecord(shared) && isRecordOf(isNumber)(shared),
});

const isLockedData: Check = (value) =>
  isRecord(value) &&
  isText(value["fingerprint"]) &&
  isRecord(value["facts"]) &&
  isRecord(value["facts"]["columns"]) &&
  isFacts(value["facts"]);

function isLock(value: Readonly<Record<string, unknown>>): value is typeof value & LockFile {
  return isRecordOf(isLockedData)(value["data"]) && isRecordOf(isRecordOf(isList(isNumber)))(value["fitted"]);
}

/** Errors: DataError where the file is there and is no lock. */
export function openLock(programPath: string): Lock {
  const path = join(dirname(programPath), "dlm.lock");
  let content: LockFile = { format, data: {}, fitted: {} };
  let text = "";
  if (existsSync(path)) {
    text = readFileSync(path, "utf8");
    content = parseLock(text, path);
  }
  return {
    path,
    facts(key) {
      const locked = content.data[lockKey(key)]?.facts;
      return locked && { ...locked, columns: new Map(Object.entries(locked.columns)) };
    },
    fingerprint(key) {
      const written = content.data[lockKey(key)]?.fingerprint;
      return written === undefined ? undefined : shortFingerprint(written);
    },
    fitted(key) {
      const values = content.fitted[lockKey(key)];
      return values && new Map(Object.entries(values));
    },
    setData(key, fingerprint, facts) {
      content.data[lockKey(key)] = {
        fingerprint,
        facts: { ...facts, columns: Object.fromEntries(facts.columns ?? []) },
      };
    },
    setFitted(key, values) {
      content.fitted[lockKey(key)] = Object.fromEntries(
        [...values].map(([name, data]) => [name, Array.from(data)]),
      );
    },
    save() {
      const next = lockText(content);
      if (next === text) return false;
      writeFileAtomic(path, new TextEncoder().encode(next));
      text = next;
      return true;
    },
  };
}

/** Lists of texts from this length on are vocabularies. */
const longList = 1000;
const lineWidth = 120;

/** One fact a line, but a vocabulary in lines of many words: 20,000 lines would hide the rest. */
function lockText(content: LockFile): string {
  const packed: string[] = [];
  const marked = JSON.stringify(
    content,
    (_, value: unknown) => {
      if (!Array.isArray(value) || value.length < longList || !value.every(isText)) return value;
      packed.push(packedList(value as string[]));
      return `\0${packed.length - 1}`;
    },
    1,
  );
  return marked.replace(/"\\u0000(\d+)"/g, (_, at: string) => packed[Number(at)]!) + "\n";
}

function packedList(texts: readonly string[]): string {
  const lines: string[] = [];
  let line = "";
  for (const [i, text] of texts.entries()) {
    const item = JSON.stringify(text) + (i + 1 < texts.length ? "," : "");
    if (line !== "" && line.length + 1 + item.length > lineWidth) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? item : ` ${item}`;
  }
  return `[\n${[...lines, line].join("\n")}\n]`;
}

function parseLock(text: string, path: string): LockFile {
  const help = "delete it, and dlmc fit writes it anew";
  const wrong = (what: string): DataError => new DataError(`${what}; ${help}`, { file: shownPath(path) });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong("this lock is damaged");
  }
  if (!isRecord(value) || !isNumber(value["format"])) throw wrong("this is no lock");
  if (value["format"] !== format)
    throw wrong(`this lock has format ${value["format"]}, this dlmc reads ${format}`);
  if (!isLock(value)) throw wrong("this lock is damaged");
  return value;
}
