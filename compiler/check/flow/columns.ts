/** Columns of a `data` block: the lines `input a, b : number` become columns of the plan and types for the checker. */
import type { AxisItem, Expression, NamedTypeSyntax, Type } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import * as dim from "../../ir/dim.ts";
import type { Axis } from "../type.ts";
import { checkType } from "../type.ts";
import type { DataColumn } from "../values.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { unknownColumn } from "./diagnostics/dlm0605-unknown-column.ts";
import type { ColumnFacts, DataFacts } from "./facts.ts";
import type { ColumnPlan, ReaderPlan } from "./plans.ts";
import type { RowText } from "./row-text.ts";
import { number, unnamed, wordOf } from "./settings.ts";
import type { CallSetting, FlowContext } from "./settings.ts";

const kinds = "`number`, `category`, `text`, or an array such as `u8[H=28, W=28, C=1]`";

/** Names of inputs that every compiled model has for itself, with what they mean. */
export const reservedInputs: ReadonlyMap<string, string> = new Map([
  ["seed", "the seed"],
  ["iteration", "the number of steps done"],
  ["step", "the number of the step"],
  ["steps_per_epoch", "the steps of an epoch"],
  ["rate_factor", "the factor of the rate"],
  ["first_row", "the number of its first row"],
  ["parameters", "all weights together"],
]);

/** What a line of columns depends on in its block. */
export interface Around {
  readonly facts: DataFacts | undefined;
  readonly texts: RowText | undefined;
  readonly reader: ReaderPlan["kind"];
}

/** All columns of one `input` or `target` line; those that make no sense are left out after a diagnostic. */
export function columnsOf(
  setting: CallSetting,
  data: string,
  { facts, texts, reader }: Around,
  context: FlowContext,
): ColumnPlan[] {
  const role = setting.name.text === "target" ? "target" : "input";
  const wrong = (span: Span, needs: string, found: string): void =>
    context.diagnose(
      report(settingValue, { setting: role, needs, span, found, signature: `${role} a, b : number` }),
    );
  const names = unnamed(setting).flatMap(({ value }) => {
    const text = wordOf(value);
    if (text === undefined && value.kind !== "hole")
      wrong(value.span, "names of columns", `this is \`${textOf(value.span)}\``);
    return text === undefined ? [] : [{ text, span: value.span }];
  });
  if (setting.type === undefined) {
    wrong(setting.span, `a type behind \`:\`, ${kinds}`, "what do these columns hold?");
    return [];
  }
  const type = columnType(setting.type, role, setting, context);
  if (type === undefined) return [];
  if (type.kind === "text" && reader === "idx") {
    wrong(setting.type.span, "`csv`, `json` or `arrays` for texts", "IDX files hold numbers");
    return [];
  }
  // a diagnostic says what is wrong with `tokenize` or `window`
  if (type.kind === "text" && !texts) return [];
  const alias = type.kind === "text" ? (texts?.alias ?? "tokens") : setting.alias?.text;
  if (type.kind === "category" && setting.alias && names.length > 1)
    wrong(setting.alias.span, "one column for a name behind `as`", "which of the columns is meant?");
  return names.flatMap((name) => {
    if (reservedInputs.has(name.text)) {
      wrong(
        name.span,
        "another name",
        `\`${name.text}\` is what training itself calls ${reservedInputs.get(name.text)}`,
      );
      return [];
    }
    const known = facts?.columns;
    const found = known?.get(name.text);
    if (known && !found) {
      context.diagnose(missingColumn(name, facts, known));
      return [];
    }
    return [column(name, role, type, `${data}.${alias ?? name.text}`, found, texts)];
  });
}

function missingColumn(
  name: { text: string; span: Span },
  facts: DataFacts,
  known: ReadonlyMap<string, ColumnFacts>,
) {
  const where = facts.file ?? "the data";
  const at = [...known.values()].find((c) => c.at)?.at;
  return report(unknownColumn, {
    name: name.text,
    span: name.span,
    where,
    known: [...known.keys()],
    ...(at ? { header: `${where}:${at.line}:1` } : {}),
  });
}

/** What the type of a line says of each of its columns. */
type ColumnType =
  | { readonly kind: "number" }
  | { readonly kind: "text" }
  | { readonly kind: "category"; readonly names: readonly string[] | undefined }
  | {
      readonly kind: "array";
      readonly dtype: "f32" | "i32" | "u8";
      readonly shape: readonly number[];
      readonly labels: readonly (string | undefined)[];
      /** N of int<N> */
      readonly bound: number | undefined;
    };

function column(
  name: { text: string; span: Span },
  role: "input" | "target",
  type: ColumnType,
  dimName: string,
  facts: ColumnFacts | undefined,
  texts: RowText | undefined,
): ColumnPlan {
  const base = { name: name.text, span: name.span, role, kind: type.kind } as const;
  if (type.kind === "number") return { ...base, dtype: "f32", shape: [], labels: [], classes: undefined };
  if (type.kind === "array") {
    const classes =
      type.bound === undefined
        ? undefined
        : { names: undefined, size: type.bound, dim: dimName, given: true };
    return { ...base, dtype: type.dtype, shape: type.shape, labels: type.labels, classes };
  }
  const given = type.kind === "category" ? type.names : undefined;
  const names = given ?? facts?.categories;
  return {
    ...base,
    dtype: "i32",
    ...(type.kind === "text" && texts
      ? { shape: [texts.window], labels: ["T"], text: texts.plan }
      : { shape: [], labels: [] }),
    classes: { names, size: names?.length, dim: dimName, given: given !== undefined },
  };
}

function columnType(
  type: Type,
  role: string,
  setting: CallSetting,
  context: FlowContext,
): ColumnType | undefined {
  const wrong = (span: Span, found: string): undefined => {
    context.diagnose(report(settingValue, { setting: role, needs: kinds, span, found }));
    return undefined;
  };
  if (type.kind === "hole") return undefined;
  if (type.kind === "record-type") return wrong(type.span, "a column holds one value a row");
  if (type.kind === "tensor-type") return arrayType("f32", type.axes, undefined, role, type.span, context);
  const name = type.path.map((n) => n.text).join(".");
  switch (name) {
    case "number":
      if (setting.alias) return wrong(setting.alias.span, "only a category gets a name behind `as`");
      return type.arguments || type.axes || type.bound
        ? wrong(type.span, "`number` takes nothing")
        : { kind: "number" };
    case "category":
      return { kind: "category", names: categoryNames(type, role, context) };
    case "f32":
    case "u8":
    case "i32":
      return arrayType(name, type.axes ?? [], undefined, role, type.span, context);
    case "int": {
      if (!type.bound) return wrong(type.span, "`int` needs its bound: `int<10>`");
      const bound = number(role, type.bound.value, { whole: true, least: 1 }, type.span, context);
      return bound === undefined
        ? undefined
        : arrayType("i32", type.axes ?? [], bound, role, type.span, context);
    }
    case "text":
      if (role === "target") return wrong(type.span, "a text is read, and not predicted");
      if (setting.alias) return wrong(setting.alias.span, "the tokens get their name behind `tokenize`");
      return type.arguments || type.axes || type.bound
        ? wrong(type.span, "`text` takes nothing")
        : { kind: "text" };
    case "image":
    case "audio":
    case "bool":
    case "f16":
      context.diagnose(report(notBuilt, { what: `columns of type \`${name}\``, span: type.span }));
      return undefined;
    default:
      return wrong(type.span, `there is no column type \`${name}\``);
  }
}

function categoryNames(
  type: NamedTypeSyntax,
  role: string,
  context: FlowContext,
): readonly string[] | undefined {
  if (type.arguments === undefined) return undefined;
  const names = new Set<string>();
  for (const { value } of type.arguments) {
    const text = nameOfCategory(value);
    const twice = text !== undefined && names.has(text);
    if (text === undefined || twice)
      context.diagnose(
        report(settingValue, {
          setting: role,
          needs: "names of categories, each once",
          span: value.span,
          found: twice ? "it stands there already" : `this is \`${textOf(value.span)}\``,
        }),
      );
    else names.add(text);
  }
  return [...names];
}

function nameOfCategory(value: Expression): string | undefined {
  if (value.kind === "string") return value.value;
  return value.kind === "number" && value.integer ? `${value.value}` : undefined;
}

function arrayType(
  dtype: "f32" | "i32" | "u8",
  axes: readonly AxisItem[],
  bound: number | undefined,
  role: string,
  span: Span,
  context: FlowContext,
): ColumnType | undefined {
  const shape: number[] = [];
  const labels: (string | undefined)[] = [];
  for (const axis of axes) {
    if (axis.kind === "pack") {
      context.diagnose(
        report(settingValue, {
          setting: role,
          needs: "arrays of a known size",
          span: axis.span,
          found: "which sizes are these?",
        }),
      );
      return undefined;
    }
    const size = number(role, axis.size, { whole: true, least: 1 }, span, context);
    if (size === undefined) return undefined;
    shape.push(size);
    labels.push(axis.label?.text ?? capitalName(axis.size));
  }
  return { kind: "array", dtype, shape, labels, bound };
}

/** A plain capital name is the label too: `f32[Width]`. */
function capitalName(size: Expression): string | undefined {
  return size.kind === "name" && /^[A-Z]/.test(size.text) ? size.text : undefined;
}

/** `Breed` of `Pets.Breed`: the name that the program gave behind `as`; undefined for the column's own. */
export function lateName(size: string): string | undefined {
  const name = size.split(".").at(-1);
  return name !== undefined && /^[A-Z]/.test(name) ? name : undefined;
}

/** The column as the checker sees it: the type of one row, without the batch. */
export function checkedColumn(plan: ColumnPlan): DataColumn {
  const written = { kind: "written", span: plan.span, name: undefined } as const;
  const axes = plan.shape.map((size, i): Axis => ({
    label: plan.labels[i],
    size: { dim: dim.constant(size), origin: written },
  }));
  const { classes } = plan;
  const type =
    classes === undefined
      ? checkType(plan.dtype, axes)
      : checkType("int", axes, {
          dim: classes.size === undefined ? dim.symbol(classes.dim) : dim.constant(classes.size),
          origin: { kind: "data", span: plan.span, name: classes.dim },
          label: lateName(classes.dim),
        });
  return { name: plan.name, role: plan.role, kind: plan.kind, type, span: plan.span };
}

/** `housing.csv:1:8`, for columns found in a text. */
export function placeOf(facts: DataFacts, column: ColumnFacts): string | undefined {
  return facts.file && column.at ? `${facts.file}:${column.at.line}:${column.at.column}` : undefined;
}
