/** Every example trains, in a shortened form on small data, with the losses of test/golden/example-losses.json. */
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { openModel } from "../src/compile-program.ts";
import type { Model } from "../runtime/index.ts";
import { chooseTrain, graphsOf, openProgram, openWithData } from "../src/program.ts";
import { trainProgram } from "../src/train/train-program.ts";
import { copyFiles, played, trainings, type ExampleTraining } from "./support/example-trainings.ts";

const examples = join(import.meta.dirname, "../examples");
const recordedFile = join(import.meta.dirname, "golden/example-losses.json");
const folder = mkdtempSync(join(tmpdir(), "dlm-examples-"));
const steps = 8;

/** Losses step after step, by the name of the loss. */
type Losses = Readonly<Record<string, readonly number[]>>;

const recorded = JSON.parse(readFileSync(recordedFile, "utf8")) as Record<string, Losses>;
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  if (process.env["UPDATE"]) writeFileSync(recordedFile, `${JSON.stringify(recorded, null, 2)}\n`);
});

/**
 * Of the largest loss of a run. The same kernels give the same bits everywhere; those with relaxed SIMD differ from those
 * without in the last ones, by at most 6e-6 of these losses.
 */
const tolerance = 1e-4;

function expectRecorded(program: string, losses: Losses): void {
  const rounded = Object.entries(losses).map(
    ([name, values]) => [name, values.map((value) => Number(value.toPrecision(7)))] as const,
  );
  if (process.env["UPDATE"]) recorded[program] = Object.fromEntries(rounded);
  const known = recorded[program] ?? {};
  expect(Object.keys(losses), `${program} is recorded with UPDATE=1`).toEqual(Object.keys(known));
  for (const [name, values] of rounded) {
    const wanted = known[name]!;
    const most = tolerance * Math.max(...wanted.map(Math.abs));
    expect(
      values.length === wanted.length && values.every((value, i) => Math.abs(value - wanted[i]!) <= most),
      `${program}: ${name} is ${values.join(", ")}, and was ${wanted.join(", ")}`,
    ).toBe(true);
  }
}

/** The program and those beside it, made smaller, and what they may use, in a folder of its own with the data where it looks for it. */
function shortened(training: ExampleTraining): string {
  const { program, data, smaller } = training;
  const place = join(folder, program.replaceAll("/", "-"));
  const from = join(examples, dirname(program));
  const to = join(place, "examples", dirname(program));
  const found = new Set<RegExp>();
  for (const file of globSync("*/*.dlm", { cwd: examples })) {
    let text = readFileSync(join(examples, file), "utf8");
    for (const [pattern, instead] of dirname(file) === dirname(program) ? smaller : []) {
      const next = text.replace(pattern, instead);
      if (next !== text) found.add(pattern);
      text = next;
    }
    mkdirSync(join(place, "examples", dirname(file)), { recursive: true });
    writeFileSync(join(place, "examples", file), text);
  }
  expect(smaller.map(([pattern]) => pattern).filter((pattern) => !found.has(pattern))).toEqual([]);
  data?.[1](join(place, ".data", data[0]));
  copyFiles(training, from, to);
  return join(to, basename(program));
}

async function losses(path: string): Promise<Losses> {
  const program = openWithData(path, { only: (p) => [chooseTrain(p).plan.data], refit: true });
  const seen: Record<string, number[]> = {};
  await trainProgram({
    program,
    train: chooseTrain(program),
    output: join(dirname(path), "run"),
    target: "wasm",
    seed: 1,
    weights: undefined,
    resume: undefined,
    epochs: undefined,
    steps,
    onNotFinite: "stop",
    threads: 1,
    interrupted: () => false,
    event(event) {
      if (event.event !== "step") return;
      for (const [name, value] of Object.entries(event.train)) (seen[name] ??= []).push(value);
    },
    note: () => {},
    status: () => {},
  });
  return seen;
}

test("every example that trains is among them", () => {
  const training = globSync("*/*.dlm", { cwd: examples }).filter((path) =>
    /^train /m.test(readFileSync(join(examples, path), "utf8")),
  );
  expect([...trainings.map(({ program }) => program), ...played].sort()).toEqual(training.sort());
});

describe(`the losses of ${steps} steps are as recorded`, () => {
  test.each(trainings.map((training) => [training.program, training] as const))(
    "%s",
    async (name, training) => {
      const found = await losses(shortened(training));
      for (const values of Object.values(found)) expect(values).toHaveLength(steps);
      expectRecorded(name, found);
    },
  );

  test("cartpole/cartpole.dlm, with what one round of playing gives", async () => {
    const { learn } = (await import("../examples/cartpole/learn.mjs" as string)) as {
      learn(model: Pick<Model, "run" | "step">, options: { rounds: number; seed: number }): Promise<void>;
    };
    const program = openProgram(join(examples, "cartpole/cartpole.dlm"));
    const train = chooseTrain(program);
    const graphs = graphsOf(program, train.block.model, train, ["init", "infer", "train"]);
    const { model } = await openModel(graphs);
    const loss: number[] = [];
    const { run } = model;
    const step: Model["step"] = async (...given) => {
      const result = await model.step(...given);
      loss.push(result.loss);
      return result;
    };
    await learn({ run, step }, { rounds: 1, seed: 1 });
    expect(loss.length).toBeGreaterThan(steps);
    expectRecorded("cartpole/cartpole.dlm", { loss: loss.slice(0, steps) });
  });
});
