/**
 * Damage at every token: each one deleted, doubled, and the text cut off before it. Nothing throws, the message
 * is near, and the other declarations are kept.
 */
import { describe, expect, test } from "vitest";
import type { Declaration } from "../grammar/ast.ts";
import { parse } from "../grammar/parse.ts";
import { positionOf } from "../grammar/source.ts";
import type { Source } from "../grammar/source.ts";
import { tokenize } from "../grammar/tokens.ts";
import { programs as all } from "./support/programs.ts";

/** All constructs of the language, in a time that one can wait for. */
const names = ["price", "fashion", "resnet", "gan", "gpt", "unet"];
const programs = all.filter(({ path }) => names.includes(path.replace(".dlm", "")));

const kinds = ["delete", "double", "truncate"] as const;
type Damage = (typeof kinds)[number];

interface Outcome {
  readonly near: boolean;
  /** a second place of the message is near: where a bracket is missing, the first is the open one */
  readonly mentioned: boolean;
  readonly milliseconds: number;
}

const nameOf = (declaration: Declaration): string =>
  `${declaration.kind} ${"name" in declaration ? declaration.name.text : declaration.from.text}`;

function damaged({ path, text }: Source, kind: Damage, start: number, end: number): Source {
  if (kind === "truncate") return { path, text: text.slice(0, start) };
  const middle = kind === "delete" ? "" : `${text.slice(start, end)} ${text.slice(start, end)}`;
  return { path, text: text.slice(0, start) + middle + text.slice(end) };
}

describe.each(kinds)("%s", (kind) => {
  const outcomes: Outcome[] = [];
  let messages = 0;
  let others = 0;
  let kept = 0;
  let several = 0;

  test("every token of six programs: nothing throws", () => {
    for (const source of programs) {
      const whole = parse(source).file.declarations;
      for (const { startOffset, endOffset = startOffset } of tokenize(source.text).tokens) {
        const mutant = damaged(source, kind, startOffset, endOffset + 1);
        const began = performance.now();
        const { file, diagnostics } = parse(mutant);
        const milliseconds = performance.now() - began;

        const found = new Set(file.declarations.map(nameOf));
        for (const { span, ...declaration } of whole) {
          const hit = span.start <= startOffset && startOffset < span.end;
          if (hit || (kind === "truncate" && span.end > startOffset)) continue;
          others++;
          if (found.has(nameOf({ span, ...declaration }))) kept++;
        }
        messages += diagnostics.length;
        if (diagnostics.length > 1) several++;
        const [first] = diagnostics;
        if (first === undefined) continue;
        const { line } = positionOf(mutant, startOffset);
        const isNear = ({ span }: { readonly span: { readonly start: number } }): boolean =>
          Math.abs(positionOf(mutant, span.start).line - line) <= 1;
        outcomes.push({
          near: isNear(first.primary),
          mentioned: [first.primary, ...first.labels].some(isNear),
          milliseconds,
        });
      }
    }
    expect(outcomes.length).toBeGreaterThan(1400);
  });

  test("the first message is within one line of the damage in at least 94 %", () => {
    const place = kind === "truncate" ? "mentioned" : "near";
    const near = outcomes.filter((outcome) => outcome[place]).length;
    expect(near / outcomes.length).toBeGreaterThanOrEqual(0.94);
  });

  test("one cause has one message", () => {
    expect(several / messages).toBeLessThan(0.01);
  });

  test("at least 99 % of the other declarations are kept", () => {
    expect(others).toBeGreaterThan(3000);
    expect(kept / others).toBeGreaterThanOrEqual(0.99);
  });

  test("reading a damaged program takes under 50 ms (the median)", () => {
    const times = outcomes.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
    expect(times[times.length >> 1]).toBeLessThan(50);
  });
});
