/** Diagnostics of families 01 to 05: each code has its example and its golden text, one cause has one message, fixes mend. */
import { describe, expect, test } from "vitest";
import { check } from "../compiler/check/check.ts";
import { checkDiagnostics } from "../compiler/check/diagnostics/index.ts";
import { createFlow } from "../compiler/check/flow/flow.ts";
import { noFacts } from "../compiler/check/flow/facts.ts";
import type { Facts } from "../compiler/check/flow/facts.ts";
import type { Diagnostic } from "../grammar/diagnostic.ts";
import { renderAll } from "../grammar/render.ts";
import { expectGolden } from "./support/golden.ts";
import { mended } from "./support/mended.ts";

/** What the data of the examples would say: targets down to -12 degrees. */
const weather: Facts = {
  data: new Map([
    [
      "main.dlm#Weather",
      {
        file: "weather.csv",
        rows: 400,
        columns: new Map([
          ["wind", { kind: "number" }],
          ["sun", { kind: "number" }],
          ["degrees", { kind: "number", least: -12, greatest: 31, trainLeast: -12 }],
        ]),
      },
    ],
  ]),
};

function diagnose(text: string): readonly Diagnostic[] {
  const facts = text.includes("data Weather") ? weather : noFacts;
  return check({
    path: "main.dlm",
    read: (path) => (path === "main.dlm" ? { path, text } : undefined),
    hooks: createFlow(facts).hooks,
  }).diagnostics;
}

describe("catalogue", () => {
  test("codes are distinct, and of families 01 to 05", () => {
    const codes = checkDiagnostics.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code).toMatch(/^DLM0[1-5]\d\d$/);
  });

  test.each(checkDiagnostics)("$code: the wrong example raises it alone, the right one nothing", (kind) => {
    expect(diagnose(kind.example.wrong).map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringContaining(kind.code),
    ]);
    expect(diagnose(kind.example.right).map(({ code, message }) => `${code} ${message}`)).toEqual([]);
    expect(kind.explanation.length).toBeGreaterThan(70);
  });

  test.each(checkDiagnostics)("$code is printed as expected", (kind) => {
    expectGolden(
      `check/${kind.code}.txt`,
      renderAll(diagnose(kind.example.wrong), { color: false, width: 100 }),
    );
  });

  test.each(checkDiagnostics)(
    "$code: the message stands alone, and what it points at is the user's",
    (kind) => {
      for (const { message, primary, labels } of diagnose(kind.example.wrong)) {
        expect(message).toMatch(/^[a-zA-Z`].*[^.]$/);
        for (const label of [primary, ...labels]) expect(label.span.source.path).toBe("main.dlm");
        expect(labels.length).toBeLessThanOrEqual(3);
      }
    },
  );

  test.each(checkDiagnostics)("$code: a fix that can be applied mends the example", (kind) => {
    const [first] = diagnose(kind.example.wrong);
    const text = mended(kind.example.wrong, first);
    if (text !== undefined) expect(diagnose(text)).toEqual([]);
  });
});
