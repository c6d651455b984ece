/** Runs a check on many random programs, a test for each fifty; a failure prints the program and how to repeat it. */
import { test } from "vitest";
import { printGraph } from "../../compiler/ir/print.ts";
import { randomProgram } from "./random-program.ts";

const perTest = 50;

export function testPrograms(
  first: number,
  count: number,
  /** as the runner of tests finds it */
  file: string,
  optionsOf: (seed: number) => Parameters<typeof randomProgram>[1],
  check: (seed: number) => void | Promise<void>,
): void {
  for (let start = first; start < first + count; start += perTest)
    test(`${start} to ${start + perTest - 1}`, async () => {
      for (let seed = start; seed < start + perTest; seed++) {
        try {
          await check(seed);
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          const { text } = printGraph(randomProgram(seed, optionsOf(seed)).graph);
          throw new Error(
            `program ${seed}: ${reason}\nrepeat with: SEED=${seed} npm test -- ${file}\n${text}`,
            {
              cause: error,
            },
          );
        }
      }
    });
}
