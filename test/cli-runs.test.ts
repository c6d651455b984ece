/** Run folders and the lock between commands: no run is lost, and what was trained is found again. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dlmc, jsonLines, type Ended } from "./support/command-line.ts";
import { program, writeFlowers } from "./support/flowers.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-runs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: string): Promise<Ended> => dlmc(args.split(" "), { cwd: folder });
const read = (path: string): Buffer => readFileSync(join(folder, path));
const variant = (name: string, from: string, to: string): void =>
  writeFileSync(join(folder, name), program.replace(from, to));

beforeAll(async () => {
  writeFlowers(folder);
  variant("wide.dlm", "Dense(8)", "Dense(9) -> relu -> Dense(4)");
  variant("other.dlm", "adam(1e-2)", "sgd(1e-2)");
  expect((await run("train flowers.dlm --epochs 1")).status).toBe(0);
});

describe("a run", () => {
  test("is not overwritten by the next one, which gets a number", async () => {
    const first = read("runs/flowers/last.safetensors");
    const [second, third] = [
      await run("train flowers.dlm --epochs 1 --seed 2"),
      await run("train flowers.dlm --epochs 1 --json"),
    ];
    expect(second.out).toMatch(/^runs\/flowers holds a run already: this one goes to runs\/flowers-2$/m);
    expect(second.out).toMatch(/: runs\/flowers-2\/best\.safetensors$/m);
    expect(jsonLines(third.out)[0]).toMatchObject({ event: "start", run: "runs/flowers-3" });
    expect(read("runs/flowers/last.safetensors").equals(first)).toBe(true);
    expect(read("runs/flowers-2/last.safetensors").equals(first)).toBe(false);
  });

  test("is not overwritten where its folder is named either, and is gone on with where that is asked for", async () => {
    const before = read("runs/flowers/metrics.jsonl");
    const refused = await run("train flowers.dlm -o runs/flowers");
    expect(refused.status).toBe(2);
    expect(refused.err).toMatch(/runs\/flowers holds a run already\nhelp: --resume runs\/flowers goes on/);
    expect(read("runs/flowers/metrics.jsonl").equals(before)).toBe(true);
    const resumed = await run("train flowers.dlm --resume runs/flowers -o ./runs/flowers --epochs 1");
    expect(resumed.status).toBe(0);
  });

  test("of another program is not gone on with: what differs is named", async () => {
    const [model, optimizer] = await Promise.all([
      run("train wide.dlm --resume runs/flowers"),
      run("train other.dlm --resume runs/flowers"),
    ]);
    expect([model.status, optimizer.status]).toEqual([1, 1]);
    expect(model.err).toContain(
      "this run is of another model or program, 6 weights differ: " +
        "dense0.kernel is [2, 8] there and [2, 9] here; dense1.kernel is [8, 3] there and [9, 4] here; " +
        "dense2.kernel is not in the run; ",
    );
    expect(model.err).toMatch(/┌─ runs\/flowers\/last\.safetensors\nhelp: a run goes on with the program/);
    expect(optimizer.err).toMatch(/this run began with another optimizer: optimizer\.\w+ is in the run only/);
    expect(optimizer.err).toMatch(/help: without --resume and with --weights runs\/flowers\/last/);
  });

  test("is named where weights are wanted, the newest first; where there is none, how to come by one", async () => {
    const [evaluate, predict, none] = await Promise.all([
      run("evaluate flowers.dlm"),
      run("run flowers.dlm --input flowers.csv"),
      run("evaluate wide.dlm"),
    ]);
    const command = /^help: dlmc (evaluate flowers\.dlm --weights runs\/flowers\/best\.safetensors)\n/m.exec(
      evaluate.err,
    );
    expect(evaluate.err).toMatch(
      /^ {6}there is also runs\/flowers-3\/best\.safetensors, runs\/flowers-2\/best\.safetensors$/m,
    );
    expect((await run(command![1]!)).status).toBe(0);
    expect(predict.err).toMatch(
      /^help: dlmc run flowers\.dlm --input flowers\.csv --weights runs\/flowers\/best\.safetensors$/m,
    );
    expect(none.err).toMatch(
      /^help: dlmc train wide\.dlm makes some, dlmc evaluate wide\.dlm --weights FILE/m,
    );
  });
});

describe("the lock's fingerprint", () => {
  interface Locked {
    readonly data: Record<string, { fingerprint: string }>;
  }
  const key = "flowers.dlm#Flowers";
  const lockOf = (): Locked => JSON.parse(read("dlm.lock").toString()) as Locked;

  test("is short, and earlier locks that hold the settings themselves are read", async () => {
    const { fingerprint } = lockOf().data[key]!;
    expect(fingerprint).toMatch(/^[0-9a-f]{32} [0-9a-f]{16}$/);
    const bytes = createHash("sha256")
      .update(`flowers.csv\0${read("flowers.csv").length}\0`)
      .update(read("flowers.csv"))
      .digest("hex");
    const columns = ["length", "width"].map((name) => ({
      name,
      kind: "number",
      role: "input",
      dtype: "f32",
      shape: [],
    }));
    const settings = JSON.stringify({
      drop: { missing: false, duplicates: false },
      fill: {},
      split: {
        parts: {
          train: { kind: "fraction", value: 0.6 },
          valid: { kind: "fraction", value: 0.2 },
          test: { kind: "fraction", value: 0.2 },
        },
        seed: 3,
        shuffle: true,
      },
      columns: [...columns, { name: "kind", kind: "category", role: "target", dtype: "i32", shape: [] }],
    });
    const lock = lockOf();
    const old = (text: string): void => {
      lock.data[key]!.fingerprint = `${bytes} ${text}`;
      writeFileSync(join(folder, "dlm.lock"), JSON.stringify(lock));
    };
    old(settings);
    expect(await run("check flowers.dlm")).toMatchObject({ status: 0, err: "" });
    old(settings.replace("0.6", "0.7"));
    expect((await run("check flowers.dlm")).err).toMatch(/dlm\.lock is out of date for Flowers/);
    expect((await run("fit flowers.dlm")).status).toBe(0);
    expect(lockOf().data[key]!.fingerprint).toBe(fingerprint);
  });
});
