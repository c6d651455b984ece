/**
 * `dlm.lock`, beside the program: what `dlmc fit` found in the data, so that checking and compiling need no data.
 * Facts by data block, fitted numbers by model. Commit it.
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ColumnFacts, DataFacts } from "../compiler/check/flow/facts.ts";
import { DataError } from "./data/error.ts";
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

function isLock(value: unknown): value is LockFile {
  return (
    typeof value === "object" && value !== null && "format" in value && "data" in value && "fitted" in value
  );
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
    fingerprint: (key) => content.data[lockKey(key)]?.fingerprint,
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
      const next = JSON.stringify(content, undefined, 1) + "\n";
      if (next === text) return false;
      writeFileAtomic(path, new TextEncoder().encode(next));
      text = next;
      return true;
    },
  };
}

function parseLock(text: string, path: string): LockFile {
  const help = "delete it, and dlmc fit writes it anew";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DataError(`this lock is damaged; ${help}`, { file: shownPath(path) });
  }
  if (!isLock(value)) throw new DataError(`this is no lock; ${help}`, { file: shownPath(path) });
  if (value.format !== format)
    throw new DataError(`this lock has format ${value.format}, this dlmc reads ${format}; ${help}`, {
      file: shownPath(path),
    });
  return value;
}
