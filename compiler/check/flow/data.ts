/** A `data` block becomes its plan: source, columns, what is dropped and filled, the split, random changes of train rows. */
import type { DataDeclaration, Expression } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Diagnostic } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { checkAppData } from "./app-rows.ts";
import { columnsOf } from "./columns.ts";
import { readerOf } from "./reader.ts";
import { rowTextOf } from "./row-text.ts";
import { textOfBlock } from "./text.ts";
import { missingSetting } from "./diagnostics/dlm0122-missing-setting.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { sharedRows } from "./diagnostics/dlm0606-shared-rows.ts";
import { noData } from "./diagnostics/dlm0607-no-data.ts";
import { splitSum } from "./diagnostics/dlm0603-split-sum.ts";
import { unknownColumn } from "./diagnostics/dlm0605-unknown-column.ts";
import { dataKey, givenSplits, sourceOf } from "./facts.ts";
import type {
  AugmentPlan,
  ColumnPlan,
  DataPlan,
  Fill,
  ReaderPlan,
  SplitName,
  SplitPart,
  SplitPlan,
} from "./plans.ts";
import { dataSettings } from "./setting-tables.ts";
import { named, number, readSettings, switchedOn, unnamed, word, wordOf } from "./settings.ts";
import type { CallSetting, FlowContext, ReadSettings } from "./settings.ts";

/** The plan, whatever is wrong with the block: lines that make no sense are left out after a diagnostic. */
export function readData(declaration: DataDeclaration, context: FlowContext): DataPlan {
  const key = dataKey(declaration);
  const facts = context.facts.data.get(key);
  const name = declaration.name.text;
  const { calls, broken } = readSettings(dataSettings, declaration.settings, context, { bindings: false });
  const columns: ColumnPlan[] = [];
  // what depends on a column that was not understood says nothing more
  let whole = !broken;
  const ofColumns: FlowContext = {
    ...context,
    diagnose(diagnostic) {
      whole = false;
      context.diagnose(diagnostic);
    },
  };
  const reader = readerOf(declaration.from, ofColumns);
  const { missing } = facts ?? {};
  if (missing) {
    const written = sourceOf(declaration.from)?.paths.find(({ path }) => path === missing.path);
    const { path, span } = written ?? reader;
    context.diagnose(report(noData, { path, span, place: missing.place, near: missing.near }));
  }
  const texts = reader.kind === "text" ? undefined : rowTextOf(declaration, calls, ofColumns);
  for (const setting of [...(calls.get("input") ?? []), ...(calls.get("target") ?? [])].sort(
    (a, b) => a.span.start - b.span.start,
  ))
    for (const column of columnsOf(setting, name, { facts, texts, reader: reader.kind }, ofColumns)) {
      const first = columns.find((c) => c.name === column.name);
      if (first === undefined) columns.push(column);
      else
        context.diagnose(
          report(settingValue, {
            setting: setting.name.text,
            needs: "each column once",
            span: column.span,
            found: `\`${column.name}\` is declared already`,
          }),
        );
    }
  const text = reader.kind === "text" ? textOfBlock(declaration, calls, facts, ofColumns) : undefined;
  columns.push(...(text?.columns ?? []));
  if (reader.kind === "app") checkAppData({ name, reader }, columns, calls, context);
  if (whole && reader.kind !== "text" && !calls.has("input"))
    context.diagnose(
      report(missingSetting, {
        block: "data",
        name: "input",
        span: declaration.name.span,
        examples: ["input a, b : number"],
      }),
    );
  const drop = dropOf(calls.get("drop")?.[0], context);
  const split = splitOf(calls, facts?.rows, context);
  checkGiven(reader, split, calls.get("split")?.[0], declaration, context);
  const at = calls.get("split")?.[0];
  for (const part of ["test", "valid"] as const) {
    const rows = facts?.shared?.[part] ?? 0;
    if (rows > 0)
      context.diagnose(
        report(sharedRows, {
          rows,
          split: part,
          span: at?.span ?? declaration.name.span,
          canDrop: !drop.duplicates && split?.parts[part]?.kind !== "given",
        }),
      );
  }
  return {
    key,
    name,
    span: declaration.name.span,
    reader,
    text: text?.plan,
    columns,
    drop,
    fill: fillOf(calls.get("fill") ?? [], columns, whole ? declaration : undefined, context),
    split,
    augment: (calls.get("augment")?.[0]?.arguments ?? []).flatMap(({ value }) =>
      augmentOf(value, columns, whole, context),
    ),
  };
}

// ---------------------------------------------------------------- rows

function dropOf(setting: CallSetting | undefined, context: FlowContext): DataPlan["drop"] {
  const words = (setting?.arguments ?? []).map(({ value, span }) =>
    word("drop", value, ["missing", "duplicates"], span, context),
  );
  return { missing: words.includes("missing"), duplicates: words.includes("duplicates") };
}

function fillOf(
  settings: readonly CallSetting[],
  columns: readonly ColumnPlan[],
  declaration: DataDeclaration | undefined,
  context: FlowContext,
): DataPlan["fill"] {
  const fill: Record<string, Fill> = {};
  const wrong = (span: Span, needs: string, found: string): void =>
    context.diagnose(
      report(settingValue, { setting: "fill", needs, span, found, signature: "fill age = median" }),
    );
  for (const { name, value, span } of settings.flatMap((s) => s.arguments)) {
    if (name === undefined) {
      wrong(span, "a column and what stands for its empty fields", "for which column?");
      continue;
    }
    const column = columns.find((c) => c.name === name.text);
    if (column === undefined) {
      if (declaration) context.diagnose(columnMissing(name.text, name.span, columns, declaration));
      continue;
    }
    const text = wordOf(value);
    if (column.kind === "array")
      wrong(name.span, "a column of numbers, categories or texts", "this column holds arrays");
    else if (column.kind === "category" || column.kind === "text") {
      const what = column.kind === "category" ? "a name in quotes for a category" : "a text in quotes";
      if (value.kind === "string") fill[name.text] = { with: "value", value: value.value };
      else wrong(value.span, what, `this is \`${textOf(value.span)}\``);
    } else if (text === "mean" || text === "median") fill[name.text] = { with: text };
    else {
      const found = number("fill", value, {}, span, context);
      if (found !== undefined) fill[name.text] = { with: "value", value: found };
    }
  }
  return fill;
}

/** A column that a line speaks of and that the block does not declare. */
export function columnMissing(
  name: string,
  span: Span,
  columns: readonly { readonly name: string }[],
  declaration: DataDeclaration,
): Diagnostic {
  return report(unknownColumn, {
    name,
    span,
    where: `data \`${declaration.name.text}\``,
    known: columns.map((c) => c.name),
    declared: declaration.name.span,
  });
}

const splitNames: readonly SplitName[] = ["train", "valid", "test"];

function splitOf(
  calls: ReadSettings["calls"],
  rows: number | undefined,
  context: FlowContext,
): SplitPlan | undefined {
  const shuffle = switchedOn(calls, "shuffle", context);
  const setting = calls.get("split")?.[0];
  if (setting === undefined) return undefined;
  for (const argument of unnamed(setting))
    context.diagnose(
      report(settingValue, {
        setting: "split",
        needs: "a name for each part",
        span: argument.span,
        found: "is this `train`, `valid` or `test`?",
        signature: "split train = 80%, valid = 10%, test = 10%",
      }),
    );
  for (const name of ["balance", "by", "group"]) {
    const argument = named(setting, name);
    if (argument)
      context.diagnose(report(notBuilt, { what: `\`${name}\` in \`split\``, span: argument.span }));
  }
  const parts: Partial<Record<SplitName, SplitPart>> = {};
  const written: { name: string; span: Span; part: SplitPart }[] = [];
  for (const name of splitNames) {
    const argument = named(setting, name);
    const part = argument && splitPart(argument.value, context);
    if (argument === undefined || part === undefined) continue;
    parts[name] = part;
    written.push({ name, span: argument.span, part });
  }
  if (parts.train === undefined) parts.train = trainRest(written.map((w) => w.part));
  checkSum(written, rows, context);
  const seed = named(setting, "seed");
  return {
    parts,
    seed:
      (seed &&
        number("seed", seed.value, { whole: true, least: 0, most: 2 ** 31 - 1 }, seed.span, context)) ??
      0,
    shuffle,
  };
}

/** A file for one split alone is given to that split, and what is given comes from such a file. */
function checkGiven(
  reader: ReaderPlan,
  split: SplitPlan | undefined,
  setting: CallSetting | undefined,
  declaration: DataDeclaration,
  context: FlowContext,
): void {
  if (!setting || !split || (reader.kind !== "csv" && reader.kind !== "json")) return;
  for (const name of givenSplits) {
    const isGiven = split.parts[name]?.kind === "given";
    if ((reader.given[name] !== undefined) === isGiven || reader.path === "") continue;
    const span = named(setting, name)?.span ?? setting.name.span;
    context.diagnose(
      report(settingValue, {
        setting: "split",
        needs: isGiven ? `a file of its own for what is given` : `\`${name} = given\``,
        span,
        found: isGiven
          ? `write it in \`from\`: \`${reader.kind}("${reader.path}", ${name} = "...")\``
          : `\`${textOf(declaration.from.span)}\` keeps rows for ${name} apart`,
      }),
    );
  }
}

/** What is left for train: a part of all rows, where the others are parts too. */
function trainRest(others: readonly SplitPart[]): SplitPart {
  let left = 1;
  for (const part of others) {
    if (part.kind === "given") continue;
    if (part.kind !== "fraction") return { kind: "rest" };
    left -= part.value;
  }
  return { kind: "fraction", value: Math.max(0, left) };
}

function splitPart(value: Expression, context: FlowContext): SplitPart | undefined {
  const text = wordOf(value);
  if (text === "given" || text === "rest") return { kind: text };
  const found = number("split", value, { least: 0 }, value.span, context);
  if (found === undefined) return undefined;
  const whole = value.kind === "number" && value.integer;
  return whole ? { kind: "count", value: found } : { kind: "fraction", value: found };
}

function checkSum(
  written: readonly { name: string; span: Span; part: SplitPart }[],
  rows: number | undefined,
  context: FlowContext,
): void {
  let fraction = 0;
  let count = 0;
  for (const { part } of written) {
    if (part.kind === "fraction") fraction += part.value;
    if (part.kind === "count") count += part.value;
  }
  const given = written.some(({ part }) => part.kind === "given");
  if (fraction > 1 + 1e-9) {
    const parts = written.filter(({ part }) => part.kind === "fraction");
    context.diagnose(
      report(splitSum, { parts, sum: `${Number((fraction * 100).toFixed(4))} %`, rows: undefined }),
    );
  } else if (rows !== undefined && !given && count + Math.floor(fraction * rows) > rows) {
    const sum = `${(count + Math.floor(fraction * rows)).toLocaleString("en-US")} rows`;
    context.diagnose(report(splitSum, { parts: written, sum, rows }));
  }
}

// ---------------------------------------------------------------- augment

const augmentations = "`flip(W, chance = 50%)` or `shift(H, W, by = 2)`";

/** `flip(W, chance = 50%)`: for every input array that has the named axes. */
function augmentOf(
  value: Expression,
  columns: readonly ColumnPlan[],
  whole: boolean,
  context: FlowContext,
): AugmentPlan[] {
  const wrong = (span: Span, needs: string, found: string): AugmentPlan[] => {
    context.diagnose(report(settingValue, { setting: "augment", needs, span, found }));
    return [];
  };
  if (value.kind === "hole") return [];
  if (value.kind !== "call" || value.callee.kind !== "name")
    return wrong(value.span, augmentations, `this is \`${textOf(value.span)}\``);
  const kind = value.callee.text;
  if (kind === "color" || kind === "crop" || kind === "rotate" || kind === "noise") {
    context.diagnose(report(notBuilt, { what: `\`${kind}\` in \`augment\``, span: value.span }));
    return [];
  }
  if (kind !== "flip" && kind !== "shift")
    return wrong(value.callee.span, augmentations, `there is no change \`${kind}\``);
  const option = kind === "flip" ? "chance" : "by";
  const axes: { text: string; span: Span }[] = [];
  let amount: number | undefined = kind === "flip" ? 0.5 : undefined;
  for (const { name, value: given, span } of value.arguments) {
    if (name === undefined) {
      const text = wordOf(given);
      if (text === undefined) return wrong(given.span, "names of axes", `this is \`${textOf(given.span)}\``);
      axes.push({ text, span: given.span });
    } else if (name.text !== option)
      return wrong(name.span, `\`${option}\` for \`${kind}\``, `it has no argument \`${name.text}\``);
    else {
      amount = number(
        `${kind}`,
        given,
        kind === "flip" ? { least: 0, most: 1 } : { whole: true, least: 0 },
        span,
        context,
      );
      if (amount === undefined) return [];
    }
  }
  if (axes.length === 0) return wrong(value.span, "the axes that it changes", "along which axis?");
  if (kind === "flip" && axes.length > 1)
    return wrong(axes[1]!.span, "one axis for `flip`", "write a `flip` for each");
  if (amount === undefined) return wrong(value.span, "`by`: how many places", "by how many places?");
  const arrays = columns.filter((c) => c.role === "input" && c.kind === "array");
  const labels = [...new Set(arrays.flatMap((c) => c.labels.filter((l) => l !== undefined)))];
  const strange = axes.find((axis) => !labels.includes(axis.text));
  if (strange && !whole) return [];
  if (strange)
    return wrong(
      strange.span,
      "an axis of an input array",
      labels.length === 0 ? "no input is an array with named axes" : `the axes are ${labels.join(", ")}`,
    );
  return arrays.flatMap((c): AugmentPlan[] => {
    const at = axes.map((axis) => c.labels.indexOf(axis.text));
    if (at.some((i) => i < 0)) return [];
    return kind === "flip"
      ? [{ kind, column: c.name, axis: at[0]!, chance: amount }]
      : [{ kind, column: c.name, axes: at, by: amount }];
  });
}
