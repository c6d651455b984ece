// DLM0202: a promise that a call does not keep.
import { defineDiagnostic } from "../../../grammar/diagnostic.ts";
import type { DiagnosticBody, Help, Label } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import type { Breach } from "../breach.ts";
import { showWitness } from "./words.ts";

export interface WhereFails {
  readonly span: Span;
  readonly clause: string;
  /** the clause says which numbers a configuration parameter may be */
  readonly breach: Breach | undefined;
  readonly names: readonly {
    readonly name: string;
    readonly shown: string;
    readonly spans: readonly Span[];
  }[];
  /** the clause, where it stands in a file of the user */
  readonly required: Span | undefined;
  /** who demands it */
  readonly by: string;
  /** the module that is called here and uses `by` */
  readonly through: string | undefined;
  /** both numbers of `a divides b`, where they are known */
  readonly division: { readonly divisor: number; readonly of: number } | undefined;
  readonly divisorName: string | undefined;
  /** it may hold for some sizes: those for which it fails, where they are known, and the promise that would do */
  readonly open:
    | { readonly witness: ReadonlyMap<string, number> | undefined; readonly promise: Help | undefined }
    | undefined;
  /** of `by`, where it is no module of the user: `BatchNorm(momentum = 0.9, eps = 1e-5)` */
  readonly signature: string | undefined;
}

/** All divisors up to 16, and how many more there are. */
function divisorsOf(n: number): string {
  const all: number[] = [];
  for (let i = 1; i <= Math.min(n, 1000); i++) if (n % i === 0) all.push(i);
  const small = all.filter((each) => each <= 16);
  return `${small.join(", ")}${all.length > small.length ? " ..." : ""}`;
}

export const whereFails = defineDiagnostic<WhereFails>({
  code: "DLM0202",
  severity: "error",
  explanation: `\`where\` states what a module needs of its sizes. The module is checked once, relying on it; each use is checked to
keep it, with the sizes of that use. A use whose sizes are free has to promise it in turn. It also states which numbers a
configuration parameter may be: a \`rate\` of \`dropout\` below 1, a \`stride\` of at least 1.`,
  example: {
    wrong: `dlm 1

let Width = 384
let heads = 5

module Heads(heads)(x: [B, T, D]) -> [B, heads, T, E=_]
  where heads divides D
{
  x -> [B, T, (heads E)] => [B, heads, T, E]
}

model Small(text: int<50>[B, T]) -> [B, heads, T, _] {
  text -> Embed(Width) -> Heads(heads)
}
`,
    right: `dlm 1

let Width = 384
let heads = 6

module Heads(heads)(x: [B, T, D]) -> [B, heads, T, E=_]
  where heads divides D
{
  x -> [B, T, (heads E)] => [B, heads, T, E]
}

model Small(text: int<50>[B, T]) -> [B, heads, T, _] {
  text -> Embed(Width) -> Heads(heads)
}
`,
  },
  build(facts) {
    const { span, clause, names, required, by, through, division, divisorName, open } = facts;
    const known = names.filter(({ shown, name }) => shown !== name);
    const here = known.map(({ name, shown }) => `${name} is ${shown}`).join(" and ");
    const rest = division
      ? `${division.of} / ${division.divisor} leaves ${division.of % division.divisor}`
      : undefined;
    const labels: Label[] = names.flatMap(({ name, spans }) =>
      spans
        .filter((each) => each.source !== span.source || each.start < span.start || each.end > span.end)
        .slice(0, 1)
        .map((each) => ({ span: each, text: `${name} comes from here` })),
    );
    const demanded = `required by ${by}${through !== undefined && through !== by ? `, which ${through} uses` : ""}`;
    if (facts.breach) return outOfRange(facts, facts.breach, labels, demanded);
    const helps: Help[] = [];
    if (division && divisorName !== undefined) {
      const { divisor, of } = division;
      const other = names.find(({ name }) => name !== divisorName);
      const low = Math.floor(of / divisor) * divisor;
      helps.push({ text: `choose ${divisorName} from ${divisorsOf(of)}` });
      if (other) helps.push({ text: `or ${other.name} = ${low > 0 ? `${low} or ` : ""}${low + divisor}` });
    } else if (open?.promise) helps.push(open.promise);
    const witness = open?.witness;
    return {
      message: open
        ? `cannot prove that \`where ${clause}\` holds in this call`
        : `\`where ${clause}\` does not hold in this call`,
      primary: {
        span,
        text: [here && `here ${here}`, rest && `and ${rest}`].filter(Boolean).join(", ") || demanded,
      },
      labels: [...labels.slice(0, 2), ...(required ? [{ span: required, text: demanded }] : [])],
      notes: [
        ...(required ? [] : [demanded]),
        ...(facts.signature === undefined ? [] : [`its signature is \`${facts.signature}\``]),
        ...(witness && witness.size > 0 ? [`it fails for ${showWitness(witness)}`] : []),
      ],
      helps,
    };
  },
});

/** "`rate` of `dropout` needs a number of at least 0 and below 1" */
function outOfRange(
  { span, by, through, required, signature }: WhereFails,
  { parameter, needs, value, switch: on, argument }: Breach,
  labels: readonly Label[],
  demanded: string,
): DiagnosticBody {
  const where = argument ?? span;
  const passed = through !== undefined && through !== by;
  return {
    message: `\`${parameter}\` of \`${by}\` needs ${needs}${on === undefined ? "" : ` where \`${on} = true\``}`,
    primary: { span: where, text: argument ? `this is ${value}` : `here \`${parameter}\` is ${value}` },
    labels: [
      ...labels.filter((label) => label.span.start < where.start || label.span.end > where.end).slice(0, 1),
      ...(required ? [{ span: required, text: demanded }] : []),
    ],
    notes: [
      ...(passed && !required ? [demanded] : []),
      ...(signature === undefined ? [] : [`its signature is \`${signature}\``]),
    ],
    helps: [],
  };
}
