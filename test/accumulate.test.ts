/** Several batches that make one update: the same as one large batch, in the reference, compiled, and run by the command line. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import { renderAll } from "../grammar/render.ts";
import { openModel } from "../src/compile-program.ts";
import type { ProgramGraphs } from "../src/program.ts";
import { train, type Batch, type DataSource, type Device } from "../src/train/loop.ts";
import { modelDevice } from "../src/train/model-device.ts";
import { referenceDevice } from "../src/train/reference-device.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { writeNpz } from "../src/weights/npy.ts";
import { checkText } from "./support/check-text.ts";
import { dlmc, jsonLines } from "./support/command-line.ts";
import { random } from "./support/random.ts";
import { clock, fresh, planOf, sinkOf, stepsOf, type Sizes } from "./support/training-loop.ts";

const rows = 22;

function program({ batch, accumulate }: Sizes, layers = "Dense(5) -> tanh"): string {
  return `dlm 1

data Points from arrays("points.npz") {
  input  x : f32[D=3]
  target y : number
  split  train = ${rows}, valid = 6, seed = 3
}

model Net(x: [B, D=3]) -> [B] {
  x -> ${layers} -> Dense(1) -> squeeze
}

train Net on Points {
  loss       mse(out, y)
  optimizer  adam(cosine(3e-2, total = 4 * epoch))
  penalty    l2(1e-2)
  clip       0.5
  average    ema(0.9)
  batch      ${batch}
  accumulate ${accumulate}
  epochs     4
}
`;
}

function graphsOf(text: string): ProgramGraphs {
  const { session, scope, flow, diagnostics } = checkText(text);
  expect(renderAll(diagnostics)).toBe("");
  const [checked] = flow.trains;
  const { model } = checked!.block;
  const entries = ["init", "train", "measure"] as const;
  const request = { session, scope, model, train: checked, data: flow.plans.data, entries };
  return { ...modelGraphs(request), span: checked!.plan.span };
}

const r = random(4);
const data = {
  x: Float32Array.from({ length: 3 * rows }, () => 2 * r.next() - 1),
  y: Float32Array.from({ length: rows }, () => 2 * r.next() - 1),
};

const source: DataSource = {
  trainRows: rows,
  batch: (ids): Batch => ({
    x: Float32Array.from(
      { length: 3 * ids.length },
      (_, i) => data.x[3 * ids[Math.floor(i / 3)]! + (i % 3)]!,
    ),
    y: Float32Array.from(ids, (id) => data.y[id]!),
  }),
  validate: () => Promise.resolve(undefined),
};

/** Trains with these batches: the loss and norm of every step, and what is kept at the end. */
async function trained(
  sizes: Sizes,
  from: ReadonlyMap<string, Float32Array>,
  open: (graphs: ProgramGraphs) => Promise<Device>,
) {
  const graphs = graphsOf(program(sizes));
  const { update } = graphs.entries.find(({ graph }) => graph.name === "train")!;
  expect(update).toEqual(sizes.accumulate > 1 ? { entry: "update", every: sizes.accumulate } : undefined);
  const tensors = new Map(from);
  for (const { path, initial } of graphs.optimizer) tensors.set(path, Float32Array.from(initial.data));
  const sink = sinkOf();
  const turns = [{ name: undefined, entry: "train", update: update?.entry }];
  const device = await open(graphs);
  const outcome = await train(planOf(sizes, turns), fresh(tensors), device, source, sink, clock);
  expect(outcome.reason).toBe("epochs");
  const steps = stepsOf(sink);
  const epochs = sink.events.flatMap((event) => (event.event === "epoch" ? [event.train["loss"]!] : []));
  return {
    losses: [...steps.map((step) => step.train["loss"]!), ...epochs],
    norms: steps.map((step) => step.gradientNorm as number),
    tensors: outcome.checkpoint.tensors,
  };
}

describe("is one batch of all their rows", () => {
  const large = { batch: 8, accumulate: 1 };
  let from = new Map<string, Float32Array>();
  beforeAll(async () => {
    const { model } = await openModel(graphsOf(program(large)));
    await model.init(7);
    from = model.weights();
    model.destroy();
  });

  // steps of 8, 8 and 6 rows: of batches that are full, that are left at the end, and of one that is the rest
  test.each([
    { batch: 4, accumulate: 2 },
    { batch: 2, accumulate: 4 },
    { batch: 8 / 8, accumulate: 8 },
  ])("of $batch rows, $accumulate of them", async (sizes) => {
    const devices = {
      reference: {
        within: 1e-12,
        open: (graphs: ProgramGraphs) => Promise.resolve(referenceDevice(graphs)),
      },
      wasm: {
        within: 2e-5,
        open: async (graphs: ProgramGraphs) => modelDevice((await openModel(graphs)).model),
      },
    };
    for (const { within, open } of Object.values(devices)) {
      const whole = await trained(large, from, open);
      const parts = await trained(sizes, from, open);
      expect(parts.losses).toHaveLength(4 * 3 + 4);
      const near = (found: ArrayLike<number>, wanted: ArrayLike<number>, bound: number): void => {
        expect(found).toHaveLength(wanted.length);
        const largest = Math.max(...Array.from(wanted, Math.abs));
        Array.from(wanted).forEach((value, i) =>
          expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(bound * largest),
        );
      };
      near(parts.losses, whole.losses, within);
      near(parts.norms, whole.norms, within);
      // tensors are f32 outside of the device
      for (const [path, values] of whole.tensors) near(parts.tensors.get(path)!, values, within + 2 ** -23);
      const gathered = [...parts.tensors.keys()].filter((path) => !whole.tensors.has(path));
      expect(gathered.sort()).toEqual(
        ["batches", "gradient", "rows"].map((name) => `optimizer.gathered.${name}`),
      );
      for (const path of gathered) expect(parts.tensors.get(path)!.every((value) => value === 0)).toBe(true);
    }
  });
});

describe("an artifact", () => {
  const sizes = { batch: 4, accumulate: 3 };
  const batch = (): Batch => source.batch(Int32Array.of(0, 1, 2, 3), 0);
  const broken = (): Batch => ({ ...batch(), y: Float32Array.of(1e30, 0, 0, 0) });

  async function opened(layers?: string) {
    const { model } = await openModel(graphsOf(program(sizes, layers)));
    await model.init(1);
    return model;
  }

  test("makes an update of every third batch, or when it is asked to", async () => {
    const model = await opened();
    const updated = async (options?: { update: boolean }): Promise<boolean> =>
      (await model.step(batch(), options)).updated;
    const before = model.weights().get("dense0.kernel")!;
    expect(await updated()).toBe(false);
    expect(await updated()).toBe(false);
    expect(model.weights().get("dense0.kernel")).toEqual(before);
    expect(await updated()).toBe(true);
    expect(model.weights().get("dense0.kernel")).not.toEqual(before);
    expect(model.control).toMatchObject({ iteration: 3, step: 2 });
    expect(await updated({ update: true })).toBe(true);
    for (let i = 0; i < 4; i++) expect(await updated({ update: false })).toBe(false);
    expect(await model.update()).toMatchObject({ ok: true, updated: true });
    expect(model.control).toMatchObject({ iteration: 8, step: 4 });
    // nothing is gathered
    expect(await model.update()).toMatchObject({ ok: false, updated: false });
    expect([...model.weights().values()].every((values) => values.every(Number.isFinite))).toBe(true);
  });

  test("goes on after weights were set, with what was gathered", async () => {
    const model = await opened();
    await model.step(batch());
    await model.step(batch());
    const kept = model.weights({ optimizer: true });
    const other = await opened();
    other.setWeights(kept);
    expect(await other.step(batch())).toEqual(await model.step(batch()));
    expect(other.weights()).toEqual(model.weights());
  });

  test("leaves out a batch that is not finite", async () => {
    const [model, other] = [
      await opened("Dense(5, bias = false) -> BatchNorm"),
      await opened("Dense(5, bias = false) -> BatchNorm"),
    ];
    await model.step(batch());
    const before = model.weights({ optimizer: true });
    expect(await model.step(broken())).toMatchObject({ ok: false, updated: false });
    expect(model.weights({ optimizer: true })).toEqual(before);
    expect(await model.step(batch())).toMatchObject({ ok: true, updated: false });
    expect(await model.step(batch())).toMatchObject({ ok: true, updated: true });
    for (let i = 0; i < 3; i++) await other.step(batch());
    expect(model.weights({ optimizer: true })).toEqual(other.weights({ optimizer: true }));
  });

  test("reads panels of the weights as they are, and of the states", async () => {
    const model = await opened("Dense(5, bias = false) -> BatchNorm -> relu");
    const measured = async () => (await model.measure(batch()))["loss"]![0]!;
    for (let i = 0; i < 7; i++) {
      const before = await measured();
      await model.step(batch());
      // states have moved, and weights with every third
      expect(await measured()).not.toBe(before);
    }
    const other = await opened("Dense(5, bias = false) -> BatchNorm -> relu");
    other.setWeights(model.weights({ optimizer: true }));
    expect((await other.measure(batch()))["loss"]).toEqual((await model.measure(batch()))["loss"]);
  });
});

test("the rule of the update may speak of names of the block", () => {
  const text = program({ batch: 4, accumulate: 2 })
    .replace("  loss       mse(out, y)", "  slow = 0.03\n  loss       slow * mse(out, y)")
    .replace("cosine(3e-2, total = 4 * epoch)", "slow");
  const { entries } = graphsOf(text);
  expect(entries.map(({ graph }) => graph.name)).toEqual(["init", "train", "update", "measure"]);
});

// ---------------------------------------------------------------- the command line

describe("a run", () => {
  const folder = mkdtempSync(join(tmpdir(), "dlm-accumulate-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...words: string[]) => dlmc(words, { cwd: folder });
  const tensorsOf = (file: string) => readSafetensors(readFileSync(join(folder, file)), file).tensors;

  beforeAll(() => {
    const many = rows + 6;
    const arrays = new Map([
      ["x", { dtype: "f32" as const, shape: [many, 3], data: Float32Array.from({ length: 3 * many }, () => 2 * r.next() - 1) }], // prettier-ignore
      [
        "y",
        { dtype: "f32" as const, shape: [many], data: Float32Array.from({ length: many }, () => r.next()) },
      ],
    ]);
    writeFileSync(join(folder, "points.npz"), writeNpz(arrays));
    const layers = "Dense(5, bias = false) -> BatchNorm -> relu -> dropout(0.2)";
    writeFileSync(join(folder, "net.dlm"), program({ batch: 4, accumulate: 2 }, layers));
    const half = program({ batch: 4, accumulate: 1 }).replace("  epochs ", "  precision  f16\n  epochs ");
    writeFileSync(join(folder, "half.dlm"), half);
  });

  test("ends with the same bits when it is stopped and resumed", async () => {
    const whole = await run("train", "net.dlm", "--json", "-o", "whole");
    expect(whole.err).toBe("");
    const events = jsonLines(whole.out);
    expect(events.filter(({ event }) => event === "step")).toHaveLength(4 * 3);
    expect(events.every(({ rate, event }) => event !== "step" || typeof rate === "number")).toBe(true);
    const config = JSON.parse(readFileSync(join(folder, "whole/config.json"), "utf8")) as {
      settings: unknown;
    };
    expect(config.settings).toMatchObject({ batch: 4, accumulate: 2 });
    await run("train", "net.dlm", "--steps", "4", "-o", "part");
    expect(tensorsOf("part/last.safetensors")).not.toEqual(tensorsOf("whole/last.safetensors"));
    await run("train", "net.dlm", "--resume", "part");
    for (const name of ["last", "best"])
      expect(tensorsOf(`part/${name}.safetensors`)).toEqual(tensorsOf(`whole/${name}.safetensors`));
  });

  test("in f16 is in f32, and says so", async () => {
    const told = "on wasm `precision f16` is computed in f32";
    const checked = await run("check", "half.dlm");
    expect(checked.status).toBe(0);
    expect(checked.err).toContain(`note[DLM0706]: ${told}`);
    expect(checked.out).toBe("ok  half.dlm\n");
    const { status, err } = await run("train", "half.dlm", "--steps", "1", "-o", "half");
    expect(status).toBe(0);
    expect(err).toBe(`note: ${told}\n`);
    const config = readFileSync(join(folder, "half/config.json"), "utf8");
    expect(JSON.parse(config)).toMatchObject({ settings: { precision: "f16", accumulate: 1 } });
  });

  test("is shown with its settings, and timed as steps and updates", async () => {
    const { out } = await run("show", "net.dlm", "--full");
    expect(out).toMatch(/accumulate +2/);
    expect(out).toMatch(/precision +f32/);
    const bench = await run("bench", "net.dlm", "--time", "20", "--json");
    expect(bench.err).toBe("");
    expect(jsonLines(bench.out).map(({ entry }) => entry)).toEqual(["infer", "measure", "train", "update"]);
  });

  test("compiles to steps that an app can call, with their types", async () => {
    const weights = ["--weights", "whole/best.safetensors"];
    const made = await run("compile", "net.dlm", "--entry", "infer,train", ...weights, "-o", "app");
    expect(made.err).toBe("");
    const types = readFileSync(join(folder, "app/Net.d.ts"), "utf8");
    expect(types).toContain("update?: boolean");
    expect(types).toContain("the update by the batches since the last one, before there are 2");
  });

  test("tells which layer of a batch is not finite", async () => {
    const text = program({ batch: 4, accumulate: 2 }, "Dense(5) -> exp -> exp -> exp -> exp");
    writeFileSync(join(folder, "steep.dlm"), text);
    const { status, err } = await run("train", "steep.dlm", "-o", "steep");
    expect(status).toBe(1);
    expect(err).toMatch(/is not finite in epoch \d, step \d+; the first value that is not: \w+ in /);
  });
});
