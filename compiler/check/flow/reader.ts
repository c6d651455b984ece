/** `from csv("houses.csv", test = "late.csv")`: what a data block reads. */
import type { Argument, Expression } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { givenSplits, sourceOf } from "./facts.ts";
import type { ReaderPlan } from "./plans.ts";
import { wordOf } from "./settings.ts";
import type { FlowContext } from "./settings.ts";

const readers = ["csv", "json", "idx", "arrays", "text"] as const;
const laterReaders = ["arff", "folder", "audio"];

type Kind = ReaderPlan["kind"];
type Wrong = (span: Span, needs: string, found: string) => void;

/** A reader of nothing, after a diagnostic, where the text has another form. */
export function readerOf(from: Expression, context: FlowContext): ReaderPlan {
  const wrong: Wrong = (span, needs, found) =>
    context.diagnose(report(settingValue, { setting: "from", needs, span, found }));
  const nothing: ReaderPlan = { kind: "csv", path: "", also: [], given: {}, span: from.span, delimiter: "," };
  if (from.kind === "hole") return nothing;
  if (wordOf(from) === "app") return { ...nothing, kind: "app" };
  const source = sourceOf(from);
  if (source === undefined) {
    wrong(from.span, 'a source such as `csv("houses.csv")`, or `app`', `this is \`${textOf(from.span)}\``);
    return nothing;
  }
  const kind = readers.find((r) => r === source.reader);
  if (kind === undefined) {
    if (laterReaders.includes(source.reader))
      context.diagnose(report(notBuilt, { what: `data from \`${source.reader}\``, span: from.span }));
    else
      wrong(
        from.span,
        `one of the sources ${readers.map((r) => `\`${r}\``).join(", ")}`,
        `there is no source \`${source.reader}\``,
      );
    return { ...nothing, path: source.path };
  }
  const given: Partial<Record<(typeof givenSplits)[number], string>> = {};
  let delimiter = ",";
  const also: string[] = [];
  for (const argument of from.kind === "call" ? from.arguments : []) {
    const { name, value } = argument;
    const split = givenSplits.find((each) => each === name?.text);
    if (name === undefined) {
      if (value.span.start === source.span.start) continue;
      if (kind !== "text") wrong(value.span, "one path", furtherPath(kind));
      else if (value.kind === "string") also.push(value.value);
      else wrong(value.span, "paths in quotes", `this is \`${textOf(value.span)}\``);
    } else if (split && takesSplits(kind)) {
      given[split] = value.kind === "string" ? value.value : "";
      if (value.kind !== "string") wrong(value.span, "paths in quotes", `this is \`${textOf(value.span)}\``);
    } else if (name.text === "delimiter" && kind === "csv") {
      if (value.kind === "string" && value.value.length === 1) delimiter = value.value;
      else wrong(value.span, "one character as the delimiter", "this is not one character");
    } else refuseArgument(argument, kind, wrong);
  }
  return { kind, path: source.path, also, given, span: source.span, delimiter };
}

const takesSplits = (kind: Kind): boolean => kind === "csv" || kind === "json";

function furtherPath(kind: Kind): string {
  return takesSplits(kind)
    ? `rows of another split are named: \`test = "..."\``
    : `\`${kind}\` reads one file or folder`;
}

function refuseArgument({ name, span }: Argument, kind: Kind, wrong: Wrong): void {
  const known = [...(takesSplits(kind) ? givenSplits : []), ...(kind === "csv" ? ["delimiter"] : [])];
  wrong(
    name?.span ?? span,
    known.length === 0
      ? "nothing but its path"
      : `only the arguments ${known.map((each) => `\`${each}\``).join(", ")}`,
    `\`${kind}\` has no argument \`${name?.text ?? ""}\``,
  );
}
