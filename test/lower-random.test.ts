/** Random well-typed programs: kernels verify, mean what the graph means, and fit a plan in which nothing overlaps. */
import { describe, test } from "vitest";
import { printGraph } from "../compiler/ir/print.ts";
import { pipeline } from "../compiler/passes/pipeline.ts";
import { expectSame } from "./support/lowering.ts";
import { seedOfRun } from "./support/random.ts";
import { randomProgram } from "./support/random-program.ts";

const first = seedOfRun();
const programs = 300;
const batch = 50;

/** As it is or after the passes, merged or not, in turn. */
function check(seed: number): void {
  const { graph, inputs, sizes } = randomProgram(seed, { gradient: seed % 3 !== 0 });
  const passed = seed % 2 === 0 ? graph : pipeline.reduce((g, { pass }) => pass.run(g), graph);
  expectSame(passed, inputs, sizes, { merge: seed % 5 !== 0 });
}

describe(`kernels of random programs from seed ${first}`, () => {
  for (let start = 0; start < programs; start += batch) {
    test(`${first + start} to ${first + start + batch - 1}`, () => {
      for (let seed = first + start; seed < first + start + batch; seed++) {
        try {
          check(seed);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          throw new Error(
            `program ${seed}: ${reason}\nrepeat with: SEED=${seed} npm test -- lower-random\n${printGraph(randomProgram(seed, { gradient: seed % 3 !== 0 }).graph).text}`,
            { cause: error },
          );
        }
      }
    });
  }
});
