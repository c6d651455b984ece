/** Syntax diagnostics: each code has its example and its golden text, and one cause has one message. */
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../grammar/diagnostic.ts";
import { syntaxDiagnostics } from "../grammar/errors/index.ts";
import { parse } from "../grammar/parse.ts";
import { render, renderAll, toJson } from "../grammar/render.ts";
import type { Source } from "../grammar/source.ts";
import { expectGolden } from "./support/golden.ts";
import { mended } from "./support/mended.ts";

function diagnose(text: string): Diagnostic[] {
  return parse({ path: "broken.dlm", text }).diagnostics;
}

describe("catalogue", () => {
  test("codes are distinct, and of family 00", () => {
    const codes = syntaxDiagnostics.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code).toMatch(/^DLM00\d\d$/);
  });

  test.each(syntaxDiagnostics)("$code: the wrong example raises it alone, the right one nothing", (kind) => {
    expect(diagnose(kind.example.wrong).map(({ code }) => code)).toEqual([kind.code]);
    expect(diagnose(kind.example.right)).toEqual([]);
    expect(kind.explanation.length).toBeGreaterThan(80);
  });

  test.each(syntaxDiagnostics)("$code is printed as expected", (kind) => {
    expectGolden(
      `syntax/${kind.code}.txt`,
      renderAll(diagnose(kind.example.wrong), { color: false, width: 100 }),
    );
  });

  test("messages stand alone: lower case, no final stop", () => {
    for (const kind of syntaxDiagnostics) {
      for (const { message } of diagnose(kind.example.wrong)) expect(message).toMatch(/^[a-z`].*[^.]$/);
    }
  });
});

/** Programs that go wrong in the ways people do; all messages in one golden text. */
const broken: readonly (readonly [why: string, text: string])[] = [
  ["an axis group outside a rearrange", "model A(x: [B]) -> [B] {\n  q = (heads E)\n}"],
  ["= for ==", "model A(x: [B]) -> [B] {\n  if a = b { x } else { y }\n}"],
  ["else if", "model A(x: [B]) -> [B] {\n  if a { x } else if b { y }\n}"],
  ["an operator behind a stage", "model A(x: [B]) -> [B] {\n  x -> f + 1\n}"],
  ["two values of a setting without a comma", "train A on B {\n  batch 64 32\n}"],
  ["two axes without a comma", "model A(x: [B T]) -> [B] {\n  x\n}"],
  ["a reserved word as a name", "model A(state: [B]) -> [B] {\n  state\n}"],
  ["nothing behind =", "let a =\nlet b = 1"],
  ["no result", "model A(x: [B]) {\n  x\n}"],
  ["a weight without a type", "module A(x: [B]) -> [B] {\n  weight k ~ glorot\n  x\n}"],
  ["a weight without a value", "module A(x: [B]) -> [B] {\n  weight k : [B]\n  x\n}"],
  ["an unclosed inner block", "model A(x: [B]) -> [B] {\n  x -> repeat 2 {\n    f\n\n  y = x\n  y\n}"],
  ["an unclosed call", "model A(x: [B]) -> [B] {\n  y = f(x, g(x)\n  y -> relu\n}"],
  ["the wrong closing bracket", "model A(x: [B]) -> [B] {\n  f(x]\n}"],
  ["a block too many", "model A(x: [B]) -> [B] {\n  x\n}\n}\n\nmodel C(x: [B]) -> [B] {\n  x\n}"],
  ["a block opened nowhere", "model A(x: [B]) -> [B]\n  x -> f\n  y\n}\n\nmodel C(x: [B]) -> [B] {\n  x\n}"],
  ["a sign from elsewhere", "model A(x: [B]) -> [B] {\n  x → f\n}"],
  ["a comment from elsewhere", "# my model\nmodel A(x: [B]) -> [B] {\n  x\n}"],
  ["Python", "def f(x):\n  return x\n"],
  ["a forgotten declaration word", "A(x: [B]) -> [B] {\n  x\n}"],
  ["a second edition line", "dlm 1\nlet a = 1\ndlm 1"],
  ["no edition", "dlm one"],
  ["edition 0", "dlm 0"],
  ["damage in two declarations", "let a = (1\nlet b = 2 2\nlet c = 3"],
  ["several problems with one cause", "train A on B {\n  loss = = f(\n  batch 64)\n  stop ]\n}\nlet c = 3"],
];

describe("messages", () => {
  test("are printed as expected", () => {
    const pages = broken.map(([why, text]) => {
      const found = diagnose(text);
      expect(found.length, why).toBeGreaterThan(0);
      return `## ${why}\n\n${renderAll(found)}`;
    });
    expectGolden("syntax/broken.txt", pages.join("\n"));
  });

  test("one declaration has at most one", () => {
    expect(diagnose("train A on B {\n  loss = = f(\n  batch 64)\n  stop ]\n}")).toHaveLength(1);
    expect(diagnose("let a = (1\nlet b = 2 2\nlet c = 3")).toHaveLength(2);
  });

  test("declarations beside the damage are kept whole", () => {
    const { file } = parse({
      path: "a.dlm",
      text: "let a = (\nlet b = 2 +\nlet c = 3\nmodle M(x: [B]) -> [B] { x }",
    });
    expect(file.declarations.map((d) => ("name" in d ? d.name.text : ""))).toEqual(["a", "b", "c", "M"]);
    expect(file.declarations[2]).toMatchObject({ value: { kind: "number", value: 3 } });
    expect(file.declarations[3]).toMatchObject({ kind: "model", body: { statements: [{}] } });
  });

  test.each(["DLM0001", "DLM0002", "DLM0003", "DLM0005", "DLM0007", "DLM0008", "DLM0009"])(
    "the edits of %s mend its example",
    (code) => {
      const kind = syntaxDiagnostics.find((each) => each.code === code)!;
      const { wrong } = kind.example;
      expect(diagnose(mended(wrong, diagnose(wrong)[0])!)).toEqual([]);
    },
  );

  test("no word of the parser library comes through", () => {
    for (const [, text] of broken) {
      for (const word of ["Expecting", "Token", "redundant", "EOF", "OpenCurly", "Identifier", "undefined"]) {
        expect(renderAll(diagnose(text))).not.toContain(word);
      }
    }
  });
});

describe("any text", () => {
  test.each([
    ["nothing", ""],
    ["spaces", " \n\t\r\n"],
    ["a comment", "// only this"],
    ["a NUL", "let a = 1\u0000"],
    ["half a surrogate pair", "let a = \ud800"],
    ["an emoji", "model 🐈(x: [B]) -> [B] { x }"],
    ["brackets", "((((([[[[[{{{{{"],
    ["closing brackets", "}}}}}]]]]])))))"],
    ["deep nesting", `let a = ${"(".repeat(5000)}1${")".repeat(5000)}`],
    ["deep unclosed nesting", `let a = ${"f([{".repeat(20_000)}`],
    ["a long sum", `let a = 1${" + 1".repeat(20_000)}`],
    ["a long chain of calls", `let a = f${"(1)".repeat(20_000)}`],
    ["many signs", `let a = ${"-".repeat(20_000)}1`],
    ["many powers", `let a = ${"2 ^ ".repeat(20_000)}1`],
    ["a quote", '"'],
    ["a backslash in a string", '"\\'],
    ["arrows", "-> -> -> => <- +="],
    ["reserved words", "if repeat for scan residual branch else with yield"],
  ])("%s does not throw", (_, text) => {
    const { file, diagnostics } = parse({ path: "any.dlm", text });
    expect(file.span.end).toBe(text.length);
    renderAll(diagnostics, { color: true, width: 40 });
    JSON.stringify(diagnostics.map(toJson));
  });
});

describe("rendering", () => {
  const source: Source = {
    path: "models/a.dlm",
    text: "one\n\ttwo three\n  日本語 four // x\nfive {\n  six\n}\n",
  };
  const other: Source = { path: "b.dlm", text: `${"x".repeat(200)} end\n` };
  const at = (word: string, text: string, from: Source = source) => {
    const start = from.text.indexOf(word);
    return { span: { source: from, start, end: start + word.length }, text };
  };
  const base: Diagnostic = {
    code: "DLM0000",
    severity: "warning",
    message: "this is how it looks",
    primary: at("three", "third"),
    labels: [],
    notes: [],
    helps: [],
  };

  test("labels stand under their lines, the primary first, lines once", () => {
    const labels = [at("two", "second"), at("one", "first"), at("four", "fourth")];
    const notes = ["a fact", "another"];
    const helps = [{ text: "do this\nand that" }, { text: "or that" }];
    expect(render({ ...base, labels, notes, helps })).toBe(
      [
        "warning[DLM0000]: this is how it looks",
        "  ┌─ models/a.dlm:2:6",
        "2 │     two three",
        "  │         ───── third",
        "  │     ─── second",
        "1 │ one",
        "  │ ─── first",
        "3 │   日本語 four // x",
        "  │          ──── fourth",
        "  = a fact",
        "  = another",
        "help: do this",
        "      and that",
        "help: or that",
        "",
      ].join("\n"),
    );
  });

  test("a span over several lines is marked in its first, an empty one has one mark", () => {
    const block = at("five {\n  six\n}", "block");
    const empty = { span: { source, start: 3, end: 3 }, text: "end" };
    expect(render({ ...base, primary: block, labels: [empty] })).toContain("4 │ five {\n  │ ────── block\n");
    expect(render({ ...base, primary: block, labels: [empty] })).toContain("1 │ one\n  │    ─ end\n");
  });

  test("a label in another file has its own head; a long line is cut around the labels", () => {
    const text = render({ ...base, labels: [at("end", "far away", other)] }, { color: false, width: 60 });
    expect(text).toContain("  ┌─ b.dlm:1:202\n");
    for (const line of text.split("\n")) expect(line.length).toBeLessThanOrEqual(60);
    const [, row = "", mark = ""] = /(.*end)\n(.*)── far away/.exec(text) ?? [];
    expect(row.indexOf("end")).toBe(mark.length - 1);
  });

  test("a long label goes below its mark", () => {
    const long = "a label of so many words that they do not fit behind the mark in the line any more";
    const lines = render({ ...base, primary: at("three", long) }, { color: false, width: 50 }).split("\n");
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(50);
    expect(
      lines
        .slice(4, -1)
        .map((line) => line.slice(4).trim())
        .join(" "),
    ).toBe(long);
  });

  test("colours only when asked for", () => {
    expect(render(base)).not.toContain("\u001b");
    const colored = render(base, { color: true, width: 80 });
    expect(colored).toContain("\u001b[");
    // oxlint-disable-next-line no-control-regex
    expect(colored.replace(/\u001b\[\d+m/g, "")).toBe(render(base));
  });

  test("JSON counts from 1 and keeps edits", () => {
    const json = toJson({
      ...base,
      labels: [at("one", "first"), at("end", "far", other)],
      helps: [{ text: "plain" }, { text: "mend", edits: [at("two", "2")] }],
    });
    expect(json).toEqual({
      code: "DLM0000",
      severity: "warning",
      message: "this is how it looks",
      file: "models/a.dlm",
      range: { start: { line: 2, column: 6 }, end: { line: 2, column: 11 } },
      label: "third",
      labels: [
        { range: { start: { line: 1, column: 1 }, end: { line: 1, column: 4 } }, text: "first" },
        {
          file: "b.dlm",
          range: { start: { line: 1, column: 202 }, end: { line: 1, column: 205 } },
          text: "far",
        },
      ],
      notes: [],
      helps: [
        { text: "plain" },
        {
          text: "mend",
          edits: [{ range: { start: { line: 2, column: 2 }, end: { line: 2, column: 5 } }, text: "2" }],
        },
      ],
    });
  });
});
