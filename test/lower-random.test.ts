/** Random well-typed programs: kernels verify, mean what the graph means, and fit a plan in which nothing overlaps. */
import { describe } from "vitest";
import { pipeline, runPass } from "../compiler/passes/pipeline.ts";
import { expectSame } from "./support/lowering.ts";
import { seedOfRun } from "./support/random.ts";
import { randomProgram } from "./support/random-program.ts";
import { testPrograms } from "./support/test-programs.ts";

const first = seedOfRun();
const programs = 300;

/** As it is or after the passes, merged or not, in turn. */
function check(seed: number): void {
  const { graph, inputs, sizes } = randomProgram(seed, { gradient: seed % 3 !== 0 });
  const passed = seed % 2 === 0 ? graph : pipeline.reduce((g, { pass }) => runPass(pass, g), graph);
  expectSame(passed, inputs, sizes, { merge: seed % 5 !== 0 });
}

describe(`kernels of random programs from seed ${first}`, () => {
  testPrograms(first, programs, "lower-random", (seed) => ({ gradient: seed % 3 !== 0 }), check);
});
