// The rules of axes, paths and calls, by the tables in semantics-cases.ts.
import { describe, expect, test } from "vitest";
import { parse } from "../grammar/parse.ts";
import { check } from "../compiler/check/check.ts";
import { elaborate } from "../compiler/check/elaborate.ts";
import { graphBuilder } from "../compiler/ir/builder.ts";
import { inputWeights, modelsOf } from "../compiler/check/check.ts";
import { createFlow } from "../compiler/check/flow/flow.ts";
import { noFacts } from "../compiler/check/flow/facts.ts";
import { showType } from "../compiler/check/type.ts";
import { cases } from "./semantics-cases.ts";

/** `let ... · module ... · x: [B, D=8] -> [B] : body` as a whole program with a model M. */
function programOf(short: string): string {
  if (short.startsWith("data ")) return `dlm 1\n\n${lines(short)}\n`;
  const parts = short.split(" · ");
  const last = parts.pop()!;
  const before = parts.join("\n\n");
  if (/^(module|let) /.test(last)) return `dlm 1\n\n${before}\n${lines(last)}\n`;
  const [signature, body] = splitOnce(last, " : ");
  const [inputs, result] = signature.includes("->") ? splitOnce(signature, " -> ") : [signature, "_"];
  return `dlm 1\n\n${before}\n\nmodel M(${inputs}) -> ${result} {\n  ${lines(body)}\n}\n`;
}

function splitOnce(text: string, by: string): [string, string] {
  const at = text.indexOf(by);
  return [text.slice(0, at), text.slice(at + by.length)];
}

function lines(text: string): string {
  return text.replaceAll(" ⏎ ", "\n");
}

function resultOf(short: string, wanted: string): string {
  const text = programOf(short);
  const source = { path: "m.dlm", text };
  expect(parse(source).diagnostics).toEqual([]);
  const { session, scope, diagnostics } = check({
    path: "m.dlm",
    read: (path) => (path === "m.dlm" ? source : undefined),
    hooks: createFlow(noFacts).hooks,
  });
  const [first] = diagnostics;
  if (first)
    return diagnostics.length === 1
      ? first.code
      : diagnostics.map((each) => `${each.code} ${each.message}`).join("; ");
  const model = modelsOf(scope!).at(-1)!;
  const builder = graphBuilder();
  const { result, elaboration } = elaborate(session, scope!, model, {
    phase: "inference",
    builder,
    ...inputWeights({ builder }),
  });
  if (wanted.startsWith("weights:"))
    return `weights: ${[...elaboration.requested.values()].map(({ request }) => request.path).join(" ")}`;
  return result.kind === "tensor" ? showType(result.type, elaboration.solver.show) : result.kind;
}

/** Order of weights does not matter where two stages run side by side. */
function sorted(text: string): string {
  return text.startsWith("weights:") ? text.split(" ").sort().join(" ") : text;
}

for (const [title, rows] of Object.entries(cases)) {
  describe(title, () => {
    test.each(rows)("%s", (program, result) => {
      expect(sorted(resultOf(program, result))).toBe(sorted(result));
    });
  });
}
