/** Columns of texts -> rows of tokens, with one vocabulary for all of them, learned from the train split. */
import type { ColumnPlan, DataPlan, RowTextPlan } from "../../compiler/check/flow/plans.ts";
import { textRule } from "../../compiler/check/flow/row-text.ts";
import { encodeRow } from "../../runtime/tokens.ts";
import type { ReadyColumn } from "./dataset.ts";
import { DataError } from "./error.ts";
import type { Column, Table, TextColumn } from "./table.ts";
import { rowVocabulary } from "./tokens.ts";

/**
 * The tokens of a block's texts by id: those that are known already, else what its train rows hold; none where no column is
 * a text. Errors: DataError where the texts have more characters than there may be tokens.
 */
export function tokensOf(
  plan: DataPlan,
  columns: readonly Column[],
  table: Table,
  train: Int32Array,
): readonly string[] {
  const first = plan.columns.find((column) => column.text);
  if (!first?.text) return [];
  const { tokenizer } = first.text;
  const texts = columns.flatMap((column, i) =>
    plan.columns[i]!.text && column.kind === "text" ? Array.from(train, (row) => column.data[row] ?? "") : [],
  );
  const names = first.classes?.names ?? rowVocabulary(texts, tokenizer);
  if (names) return names;
  const most = tokenizer.kind === "chars" ? 0 : tokenizer.size;
  throw new DataError(`its texts have more different characters than ${most} tokens can stand for`, {
    file: table.parts[0]?.file ?? "",
    column: first.name,
  });
}

/** The rows of the splits as tokens; other rows stay filled up. */
export function rowTexts(
  plan: ColumnPlan & { readonly text: RowTextPlan },
  { data: texts }: TextColumn,
  names: readonly string[],
  rows: readonly Int32Array[],
): ReadyColumn {
  const rule = textRule(plan.text);
  const size = plan.shape[0]!;
  const data = new Int32Array(texts.length * size);
  for (const part of rows)
    for (const row of part)
      encodeRow(texts[row] ?? "", names, rule, data.subarray(row * size, (row + 1) * size));
  return { plan, size, data, classes: names, texts };
}
