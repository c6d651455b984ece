/** 500 random well-typed programs a run: they verify, round-trip as text, mean the same after every pass, and their gradients agree with differences. */
import { describe, expect, test } from "vitest";
import { verify } from "../compiler/ir/verify.ts";
import { printGraph } from "../compiler/ir/print.ts";
import { parseGraph } from "../compiler/ir/parse.ts";
import { opNamed, ops } from "../compiler/ops/index.ts";
import { pipeline, runPass } from "../compiler/passes/pipeline.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { alongDirection, difference } from "./support/graphs.ts";
import { random, seedOfRun } from "./support/random.ts";
import { randomProgram } from "./support/random-program.ts";
import { testPrograms } from "./support/test-programs.ts";

const first = seedOfRun();
const programs = 500;
const leastOfEach = 20;

const counts = new Map(ops.map((op) => [op.name, 0]));
let decided = 0;
let undecided = 0;

function check(seed: number): void {
  const { graph, inputs, sizes, differentiated } = randomProgram(seed, { gradient: true });
  for (const { op } of graph.nodes) counts.set(op.name, counts.get(op.name)! + 1);
  verify(graph, "random program");

  const { text, constants } = printGraph(graph);
  const parsed = parseGraph(text, opNamed, constants);
  if ("problem" in parsed) throw new Error(`line ${parsed.problem.line}: ${parsed.problem.message}\n${text}`);
  expect(printGraph(parsed.graph).text).toBe(text);

  const expected = evaluate(graph, inputs, sizes);
  let now = graph;
  let reordered = false;
  for (const { pass } of pipeline) {
    now = runPass(pass, now);
    reordered ||= pass.reorders === true;
    verify(now, pass.name);
    const found = evaluate(now, inputs, sizes);
    for (const kind of ["outputs", "writes"] as const) {
      expect([...found[kind].keys()]).toEqual([...expected[kind].keys()]);
      for (const [name, value] of expected[kind]) {
        const differs = difference(found[kind].get(name)!, value, reordered ? 1e-10 : 1e-13);
        if (differs) throw new Error(`after ${pass.name}, ${name}: ${differs}`);
      }
    }
  }

  const along = alongDirection(graph, inputs, sizes, differentiated, random(seed));
  const error = Math.abs(along.byGraph - along.byDifference);
  const allowed = 1e-6 * (1 + along.scale);
  // two steps that disagree lie on both sides of a kink or jump: nothing to compare with
  if (Math.abs(along.byDifference - along.byFinerDifference) > allowed) undecided++;
  else {
    decided++;
    if (!(error <= allowed))
      throw new Error(`the gradient graph gives ${along.byGraph}, differences give ${along.byDifference}`);
  }
}

describe(`random programs from seed ${first}`, () => {
  testPrograms(first, programs, "random-programs", () => ({ gradient: true }), check);

  test(`every op occurs at least ${leastOfEach} times`, () => {
    const shown = [...counts].map(([name, count]) => `${name} ${count}`).join(", ");
    process.stdout.write(`random programs, seed ${first}: ${shown}; gradients of ${decided} compared\n`);
    expect([...counts].filter(([, count]) => count < leastOfEach)).toEqual([]);
  });

  test("nearly all gradients could be compared", () => {
    expect(undecided / (decided + undecided)).toBeLessThan(0.1);
  });
});
