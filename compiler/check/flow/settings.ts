/** Reads the lines of a block by its table: unknown names, doubles and what is not built become diagnostics here, once for all blocks. */
import type { Argument, Expression, Name, Setting, Settings } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Diagnostic } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { describeRange } from "../number-range.ts";
import type { NumberRange } from "../number-range.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { unknownSetting } from "./diagnostics/dlm0104-unknown-setting.ts";
import type { Facts } from "./facts.ts";
import type { SettingDefinition, SettingTable } from "./setting-tables.ts";

export type CallSetting = Extract<Setting, { kind: "call" }>;
export type BindingSetting = Extract<Setting, { kind: "binding" }>;

/** What reading a block needs of the rest of the checker. */
export interface FlowContext {
  readonly facts: Facts;
  diagnose(diagnostic: Diagnostic): void;
  /** a syntax error lies there */
  isBroken(span: Span): boolean;
  /** A number known before running: literals, `let`s and arithmetic. Undefined after a diagnostic of its own. */
  constant(expression: Expression): number | undefined;
}

export interface ReadSettings {
  /** of the known settings, by name, in the order of the text */
  readonly calls: ReadonlyMap<string, readonly CallSetting[]>;
  readonly bindings: readonly BindingSetting[];
  /** a line could not be read: what is missing may be in it */
  readonly broken: boolean;
}

export function readSettings(
  table: SettingTable,
  { settings }: Settings,
  context: Pick<FlowContext, "diagnose" | "isBroken">,
  options: { readonly bindings: boolean },
): ReadSettings {
  const calls = new Map<string, CallSetting[]>();
  const bindings: BindingSetting[] = [];
  let broken = false;
  for (const setting of settings) {
    if (setting.kind === "hole") {
      broken = true;
      continue;
    }
    const definition = table.settings.find((d) => d.name === setting.name.text);
    if (setting.kind === "call" && setting.type && !definition?.typed) {
      broken = true;
      // where the line has a syntax error, that is the one to mend
      if (context.isBroken(setting.span)) continue;
      const colon = colonSign(setting, definition);
      if (colon) {
        context.diagnose(colon);
        continue;
      }
    }
    if (setting.kind === "binding") {
      if (definition !== undefined) context.diagnose(equalsSign(setting, definition));
      else if (options.bindings) bindings.push(setting);
      else context.diagnose(unknown(table, setting.name));
      continue;
    }
    if (definition === undefined) context.diagnose(unknown(table, setting.name));
    else if (definition.typed && !setting.type && setting.arguments.at(-1)?.name) {
      broken = true;
      context.diagnose(colonMissing(setting, definition));
    } else if (definition.later) {
      // it may hold what would be missed below
      broken = true;
      context.diagnose(
        report(notBuilt, { what: `\`${definition.name}\` in \`${table.block}\``, span: setting.name.span }),
      );
    } else {
      const before = calls.get(definition.name);
      if (before !== undefined && !definition.many) {
        context.diagnose(
          report(settingValue, {
            setting: definition.name,
            needs: "to stand only once",
            span: setting.name.span,
            found: `it stands already in an earlier line of this block`,
          }),
        );
        continue;
      }
      calls.set(definition.name, [...(before ?? []), setting]);
      checkParts(setting, definition, context);
    }
  }
  return { calls, bindings, broken };
}

function unknown(table: SettingTable, name: Name): Diagnostic {
  return report(unknownSetting, {
    block: table.block,
    name,
    known: table.settings.flatMap((s) => (s.later ? [] : [s.name])),
  });
}

/** `batch = 32` where `batch 32` is meant. */
function equalsSign(setting: BindingSetting, definition: SettingDefinition): Diagnostic {
  const line = `${definition.name} ${textOf(setting.value.span)}`;
  return report(settingValue, {
    setting: definition.name,
    needs: "no `=`",
    span: setting.span,
    found: "settings are written like calls without parentheses",
    signature: definition.signature,
    helps: [{ text: line, edits: [{ span: setting.span, text: line }] }],
  });
}

/** `batch: 32` where `batch 32` is meant, and `by: valid.loss` where `by = valid.loss` is; undefined for other slips. */
function colonSign(
  { name, arguments: given, type }: CallSetting,
  definition: SettingDefinition | undefined,
): Diagnostic | undefined {
  if (definition === undefined || type === undefined || type.kind === "hole") return undefined;
  const last = given.at(-1);
  const before = last ? last.span : name.span;
  const key = last && last.name === undefined ? wordOf(last.value) : undefined;
  const isNamed = key !== undefined && (definition.named?.includes(key) ?? definition.anyName === true);
  if (last && !isNamed) return undefined;
  const gap = { ...before, start: before.end, end: type.span.start };
  const [needs, by] = last ? [`\`=\` behind \`${key}\``, " = "] : ["no `:`", " "];
  return report(settingValue, {
    setting: definition.name,
    needs,
    span: { ...gap, end: type.span.start, start: before.start },
    found: last ? "arguments are named by `=`" : "settings are written like calls without parentheses",
    signature: definition.signature,
    helps: [{ text: `${textOf(before)}${by}${textOf(type.span)}`, edits: [{ span: gap, text: by }] }],
  });
}

/** `input a, b = number` where `input a, b : number` is meant. */
function colonMissing({ arguments: given }: CallSetting, { name, signature }: SettingDefinition): Diagnostic {
  const { name: column, value, span } = given.at(-1)!;
  const gap = { ...span, start: column!.span.end, end: value.span.start };
  const text = `${column!.text} : ${textOf(value.span)}`;
  return report(settingValue, {
    setting: name,
    needs: "`:` before its type",
    span,
    found: "this names an argument",
    signature,
    helps: [{ text, edits: [{ span: gap, text: " : " }] }],
  });
}

/** A type, an alias, a block or a named argument where the definition has none. */
function checkParts(
  setting: CallSetting,
  definition: SettingDefinition,
  context: Pick<FlowContext, "diagnose">,
): void {
  const wrong = (span: Span, needs: string, found: string): void =>
    context.diagnose(
      report(settingValue, { setting: definition.name, needs, span, found, signature: definition.signature }),
    );
  if (setting.type && !definition.typed) wrong(setting.type.span, "no type", "nothing is declared here");
  if (setting.settings && !definition.block)
    wrong(setting.settings.span, "no block", "it has no settings of its own");
  const most = definition.most ?? 1;
  const surplus = unnamed(setting)[most];
  if (surplus)
    wrong(
      surplus.span,
      most === 0 ? "no argument without a name" : `at most ${most} argument${most === 1 ? "" : "s"}`,
      "this one is too many",
    );
  for (const argument of setting.arguments) {
    const name = argument.name;
    if (name === undefined || definition.anyName || definition.named?.includes(name.text)) continue;
    const known = definition.named ?? [];
    wrong(
      name.span,
      known.length === 0 ? "no named argument" : `one of the arguments ${known.join(", ")}`,
      `it has no argument \`${name.text}\``,
    );
  }
}

// ---------------------------------------------------------------- values

export function unnamed(setting: CallSetting): readonly Argument[] {
  return setting.arguments.filter((a) => a.name === undefined);
}

export function named(setting: CallSetting, name: string): Argument | undefined {
  return setting.arguments.find((a) => a.name?.text === name);
}

/** The text of a plain word such as `early` or `off`. */
export function wordOf(expression: Expression | undefined): string | undefined {
  return expression?.kind === "name" ? expression.text : undefined;
}

/** One of these words, or a diagnostic. */
export function word<W extends string>(
  setting: string,
  expression: Expression | undefined,
  words: readonly W[],
  span: Span,
  context: Pick<FlowContext, "diagnose">,
): W | undefined {
  const text = wordOf(expression);
  const found = words.find((w) => w === text);
  if (found === undefined && expression?.kind !== "hole")
    context.diagnose(
      report(settingValue, {
        setting,
        needs:
          words.length === 1
            ? `the word${words[0]!.includes(" ") ? "s" : ""} \`${words[0]}\``
            : `one of the words ${words.map((w) => `\`${w}\``).join(", ")}`,
        span: expression?.span ?? span,
        found: expression === undefined ? "nothing follows" : `this is \`${textOf(expression.span)}\``,
        helps:
          words.length === 1 && expression
            ? [{ text: words[0]!, edits: [{ span: expression.span, text: words[0]! }] }]
            : [],
      }),
    );
  return found;
}

/** A number in a range, or undefined after a diagnostic. */
export function number(
  setting: string,
  expression: Expression | undefined,
  range: NumberRange,
  span: Span,
  context: FlowContext,
): number | undefined {
  const wrong = (found: string): undefined => {
    context.diagnose(
      report(settingValue, { setting, needs: describeRange(range), span: expression?.span ?? span, found }),
    );
    return undefined;
  };
  if (expression === undefined) return wrong("nothing follows");
  if (expression.kind === "hole") return undefined;
  const value = context.constant(expression);
  if (value === undefined) return undefined;
  const fits =
    Number.isFinite(value) &&
    (!range.whole || Number.isSafeInteger(value)) &&
    (range.least === undefined || value >= range.least) &&
    (range.above === undefined || value > range.above) &&
    (range.below === undefined || value < range.below) &&
    (range.most === undefined || value <= range.most);
  return fits ? value : wrong(`this is ${value}`);
}

/** The number of a named argument; `otherwise` when it is not written, and after a diagnostic. */
export function namedNumber(
  setting: CallSetting,
  name: string,
  range: NumberRange,
  otherwise: number,
  context: FlowContext,
): number {
  const given = named(setting, name);
  return (given && number(name, given.value, range, given.span, context)) ?? otherwise;
}

/** `shuffle off`: true where the line is missing. */
export function switchedOn(
  calls: ReadSettings["calls"],
  name: string,
  context: Pick<FlowContext, "diagnose" | "isBroken">,
): boolean {
  const setting = calls.get(name)?.[0];
  // `shuffle on` is a syntax error just behind the line
  if (setting === undefined || context.isBroken({ ...setting.span, end: setting.span.end + 1 })) return true;
  return word(name, setting.arguments[0]?.value, ["off"], setting.name.span, context) !== "off";
}
