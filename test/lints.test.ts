/** Lints: each has its example, its golden text and a fix that mends; a comment silences them; errors are never silenced. */
import { describe, expect, test } from "vitest";
import { lintDiagnostics } from "../compiler/check/lints/diagnostics/index.ts";
import type { Diagnostic } from "../grammar/diagnostic.ts";
import { renderAll } from "../grammar/render.ts";
import { checkText } from "./support/check-text.ts";
import { expectGolden } from "./support/golden.ts";
import { mended } from "./support/mended.ts";

const diagnose = (text: string): readonly Diagnostic[] => checkText(text).diagnostics;
const codes = (text: string): string[] => diagnose(text).map(({ code }) => code);

const model = (body: string, before = ""): string =>
  `dlm 1\n\n${before}model M(x: [B, D=8]) -> _ {\n  ${body}\n}\n`;

describe("catalogue", () => {
  test.each(lintDiagnostics)("$code", ({ code, severity, example, explanation }) => {
    expect(code).toMatch(/^DLM11\d\d$/);
    expect(severity).toBe("warning");
    expect(explanation).toContain(`allow(${code})`);
    expect(codes(example.wrong)).toEqual([code]);
    expect(codes(example.right)).toEqual([]);
    expect(mended(example.wrong, diagnose(example.wrong)[0])).toBe(example.right);
    expectGolden(`lints/${code}.txt`, renderAll(diagnose(example.wrong), { color: false, width: 100 }));
  });
});

describe("a comment silences a warning", () => {
  const stage = "x -> Dense(16) -> BatchNorm -> relu";
  test.each([
    ["at the end of the line", `${stage} // allow(DLM1101)`, []],
    ["on the line above", `// allow(DLM1101)\n  ${stage}`, []],
    ["among other codes", `${stage} // allow(DLM1103, DLM1101)`, []],
    ["with a reason", `${stage} // allow(DLM1101): the weights come from elsewhere`, []],
    ["another code", `${stage} // allow(DLM1103)`, ["DLM1101"]],
    ["two lines above", `// allow(DLM1101)\n\n  ${stage}`, ["DLM1101"]],
    [
      "behind the code of the line above",
      `y = x // allow(DLM1101)\n  y -> Dense(16) -> BatchNorm`,
      ["DLM1101"],
    ],
    ["never an error", "x -> Dens(16) // allow(DLM0101)", ["DLM0101"]],
  ])("%s", (_, body, expected) => expect(codes(model(body))).toEqual(expected));
});

describe("a bias before BatchNorm", () => {
  const block = "module Block(Out)(x: [B, D]) -> [B, Out] {\n  x -> Dense(Out) -> BatchNorm -> relu\n}\n\n";
  test.each([
    ["behind a label", model("x -> Dense(16) -> norm: BatchNorm"), ["DLM1101"]],
    ["on lines of their own", model("x\n    -> Dense(8)\n    -> BatchNorm"), ["DLM1101"]],
    ["in a module that is used twice", model("x -> Block(8) -> Block(8)", block), ["DLM1101"]],
    ["without a bias", model("x -> Dense(16, bias = false) -> BatchNorm"), []],
    ["an activation between", model("x -> Dense(16) -> relu -> BatchNorm"), []],
    ["another normalisation", model("x -> Dense(16) -> LayerNorm"), []],
    ["read elsewhere too", model("y = x -> Dense(8)\n  (y -> BatchNorm) + y"), []],
    ["in a residual branch only", model("x -> Dense(8) -> residual { BatchNorm -> relu }"), []],
    ["an instance with another use", model("f = Dense(8)\n  (x -> f -> BatchNorm) + f(x)"), []],
  ])("%s", (_, text, expected) => expect(codes(text)).toEqual(expected));
});

describe("what is never used", () => {
  test.each([
    ["a part of several", model("a, b = x -> split(2)\n  a"), []],
    ["read in an inner block", model("y = x -> relu\n  x -> residual { Dense(8) -> + y }"), []],
    ["in an inner block", model("x -> residual {\n    y = zeros[B, D]\n    Dense(8)\n  }"), ["DLM1102"]],
    ["only named in a comment", model("y = x -> relu\n  // y\n  x"), ["DLM1102"]],
    ["a value that is bound last", model("y = x -> relu"), ["DLM0208"]],
  ])("%s", (_, text, expected) => expect(codes(text)).toEqual(expected));
});

describe("dropout", () => {
  test.each([
    ["half", "dropout(0.5)", []],
    ["in percent", "dropout(90%)", ["DLM1103"]],
    ["of channels", "dropout(0.1) -> path_dropout(0.8)", ["DLM1103"]],
  ])("%s", (_, stage, expected) => expect(codes(model(`x -> ${stage}`))).toEqual(expected));
});
