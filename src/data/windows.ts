/** A text as rows: its splits in order, their tokens in windows, and the windows one token further on. */
import type { DataPlan, TextPlan } from "../../compiler/check/flow/plans.ts";
import { encode } from "../../runtime/tokens.ts";
import { DataError } from "./error.ts";
import { splitSizes } from "./prepare.ts";
import { type Column, type SplitName, splitNames, type Table } from "./table.ts";
import { vocabularyOf } from "./tokens.ts";

export interface TextRows {
  readonly table: Table;
  readonly splits: Readonly<Record<SplitName, Int32Array>>;
  /** the tokens by id */
  readonly names: readonly string[];
}

/** `files` holds one text a row. `names` are the tokens where they are known already. Errors: DataError. */
export function textRows(
  files: Table,
  plan: DataPlan & { readonly text: TextPlan },
  names: readonly string[] | undefined,
): TextRows {
  const { window, target, tokenizer } = plan.text;
  const [column] = files.columns;
  if (column?.kind !== "text") throw new Error("a text was read as numbers");
  const text = column.data.join("");
  const file = files.parts[0]?.file ?? "";
  if (text === "") throw new DataError("there is no text in it", { file });
  const parts = partsOf(text, plan, file);
  const known = names ?? vocabularyOf(text, parts.train, tokenizer);
  if (!known)
    throw new DataError(
      `it has more than ${tokenizer.kind === "bpe" ? tokenizer.size : 0} different characters`,
      {
        file,
      },
    );

  const rows: { text: Int32Array; next: Int32Array }[] = [];
  const splits: Partial<Record<SplitName, Int32Array>> = {};
  let before = 0;
  for (const name of splitNames) {
    const ids = encode(parts[name], known);
    if (!(ids instanceof Int32Array)) throw unknownCharacter(files, before + ids.at, ids.character);
    before += parts[name].length;
    const count = Math.max(0, Math.floor((ids.length - (target === undefined ? 0 : 1)) / window));
    if (count === 0 && parts[name].length > 0)
      throw new DataError(`its ${name} split has ${ids.length} tokens, too few for one window of ${window}`, {
        file,
      });
    splits[name] = Int32Array.from({ length: count }, (_, i) => rows.length + i);
    for (let i = 0; i < count; i++) {
      const start = i * window;
      rows.push({
        text: ids.subarray(start, start + window),
        next: ids.subarray(start + 1, start + 1 + window),
      });
    }
  }
  const arrayOf = (name: string, which: "text" | "next"): Column => {
    const data = new Int32Array(rows.length * window);
    rows.forEach((row, i) => data.set(row[which], i * window));
    return { kind: "array", name, dtype: "i32", shape: [window], data };
  };
  const columns = plan.columns.map(({ name, role }) => arrayOf(name, role === "target" ? "next" : "text"));
  return {
    table: { rows: rows.length, columns, parts: [{ file, rows: rows.length }] },
    splits: splits as Record<SplitName, Int32Array>,
    names: known,
  };
}

/** Contiguous parts in the order train, valid, test, by characters; without a plan all is train. */
function partsOf(text: string, { split }: DataPlan, file: string): Record<SplitName, string> {
  const parts: Record<SplitName, string> = { train: text, valid: "", test: "" };
  if (!split) return parts;
  const sizes = splitSizes(split.parts, text.length, file);
  let at = 0;
  for (const name of splitNames) {
    let end = at + (sizes[name] ?? 0);
    // a character of two units is not cut
    if (/[\uD800-\uDBFF]/.test(text[end - 1] ?? "")) end++;
    parts[name] = text.slice(at, end);
    at = Math.max(at, end);
  }
  return parts;
}

/** The file and line of a character that the vocabulary lacks. */
function unknownCharacter(files: Table, at: number, character: string): DataError {
  let before = 0;
  const texts = (files.columns[0]?.data ?? []) as readonly (string | undefined)[];
  for (const [i, text = ""] of texts.entries()) {
    if (at < before + text.length) {
      const row = text.slice(0, at - before).split("\n").length;
      return new DataError(`the character ${JSON.stringify(character)} is no token of the vocabulary`, {
        file: files.parts[i]!.file,
        row,
      });
    }
    before += text.length;
  }
  throw new Error(`place ${at} of a text of ${before}`);
}
