/** A run that is killed at any instants, or interrupted, and resumed ends with the bits of one that was left alone. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeNpz } from "../src/weights/npy.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { dlmc, jsonLines, start } from "./support/command-line.ts";
import { random, seedOfRun } from "./support/random.ts";

const seed = seedOfRun();
const folder = mkdtempSync(join(tmpdir(), "dlm-resume-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Running statistics, noise, changed pictures, optimizer state, a schedule, a best epoch, an early stop. */
const program = `dlm 1

data Spots from arrays("spots.npz") {
  input   image : u8[H=6, W=6, C=1]
  target  label : category("left", "right")

  augment shift(H, W, by = 1), flip(H, chance = 50%)
  split   train = 70%, valid = 30%, seed = 7
}

model Side(image: u8[B, H=6, W=6, C=1]) -> [B, Class=2] {
  image -> scale(1/255) -> Conv(3, 3) -> BatchNorm -> relu -> maxpool(2) -> flatten -> dropout(0.3) -> Dense(2)
}

train Side on Spots {
  loss       cross_entropy(out, label)
  optimizer  adam(cosine(3e-2, total = 60 * epoch))
  batch      8
  epochs     60
  stop       early, watch = valid.loss, patience = 12
  keep       best, by = valid.accuracy
}
`;

/** A spot on the left or on the right, in noise. */
function writeSpots(): void {
  const r = random(1);
  const rows = 100;
  const label = Int32Array.from({ length: rows }, () => r.below(2));
  const image = new Uint8Array(rows * 36).map(() => r.below(200));
  label.forEach((side, row) => (image[row * 36 + 6 * r.below(6) + 3 * side + r.below(3)] = 255));
  const arrays = new Map([
    ["image", { dtype: "u8" as const, shape: [rows, 6, 6, 1], data: image }],
    ["label", { dtype: "i32" as const, shape: [rows], data: label }],
  ]);
  writeFileSync(join(folder, "spots.npz"), writeNpz(arrays));
  writeFileSync(join(folder, "spots.dlm"), program);
}

beforeAll(async () => {
  writeSpots();
  const whole = await dlmc(["train", "spots.dlm", "--json", "-o", "whole"], { cwd: folder });
  expect(whole.err).toBe("");
  expect(whole.status).toBe(0);
  // what is compared below has seen every part of a checkpoint
  expect(jsonLines(whole.out).at(-1)).toMatchObject({ reason: "early" });
  const { bestEpoch, epoch } = countersOf("whole");
  expect(bestEpoch).toBeGreaterThan(0);
  expect(bestEpoch).toBeLessThan(epoch! - 1);
});

function read(run: string, name: string): ReturnType<typeof readSafetensors> {
  return readSafetensors(readFileSync(join(folder, run, name)), `${run}/${name}`);
}

function countersOf(run: string): Record<string, number> {
  return JSON.parse(read(run, "last.safetensors").metadata.get("counters")!) as Record<string, number>;
}

/** Steps and epochs in metrics.jsonl, without what depends on the clock. */
function logged(run: string): unknown[] {
  const lines = jsonLines(readFileSync(join(folder, run, "metrics.jsonl"), "utf8"));
  return lines.map(({ ms: _, ...event }) => event);
}

function sameAsWhole(run: string): void {
  for (const name of ["last.safetensors", "best.safetensors"]) {
    const [found, expected] = [read(run, name), read("whole", name)];
    expect([...found.tensors.keys()]).toEqual([...expected.tensors.keys()]);
    for (const [path, { shape, data }] of expected.tensors) {
      expect(found.tensors.get(path)!.shape).toEqual(shape);
      // bits, not numbers: 0 and -0 differ
      const bits = (array: typeof data): Buffer =>
        Buffer.from(array.buffer, array.byteOffset, array.byteLength);
      expect(bits(found.tensors.get(path)!.data).equals(bits(data)), `${run}/${name} ${path}`).toBe(true);
    }
  }
  expect(countersOf(run)).toEqual(countersOf("whole"));
  expect(logged(run)).toEqual(logged("whole"));
}

describe(`SEED=${seed}`, () => {
  test("killed at random instants", async () => {
    const r = random(seed);
    const steps = countersOf("whole")["iteration"]!;
    let kills = 0;
    for (let again = 0; again < 5; again++) {
      const at = existsSync(join(folder, "killed")) ? ["--resume", "killed"] : ["-o", "killed"];
      // some steps after the start and a moment later, so that it also hits files as they are written
      const after = 1 + r.below(Math.ceil(steps / 4));
      const moment = r.next() * 25;
      let asked = false;
      const { ended } = start(["train", "spots.dlm", ...at, "--json"], {
        cwd: folder,
        output(out, child) {
          if (asked || out.split('"event":"step"').length <= after) return;
          asked = true;
          setTimeout(() => child.kill("SIGKILL"), moment);
        },
      });
      if ((await ended).status === null) kills++;
    }
    expect(kills).toBeGreaterThan(0);
    const last = await dlmc(["train", "spots.dlm", "--resume", "killed"], { cwd: folder });
    expect(last.err).toBe("");
    expect(last.status).toBe(0);
    sameAsWhole("killed");
    const names = ["best.safetensors", "config.json", "last.safetensors", "metrics.jsonl"];
    expect(readdirSync(join(folder, "killed")).sort()).toEqual(names);
  });

  test("interrupted by Ctrl-C, after which it has saved, said how to go on, and ended with 130", async () => {
    let asked = false;
    const { ended } = start(["train", "spots.dlm", "-o", "stopped", "--seed", "0"], {
      cwd: folder,
      output(out, child) {
        if (asked || !/^ *3\/60 /m.test(out)) return;
        asked = true;
        child.kill("SIGINT");
      },
    });
    const stopped = await ended;
    expect(stopped.err).toBe("");
    expect(stopped.status).toBe(130);
    expect(stopped.out).toMatch(/^interrupted after .*; everything is in stopped\. To go on:$/m);
    expect(stopped.out).toMatch(/^ {2}dlmc train spots\.dlm --resume stopped$/m);
    const done = countersOf("stopped")["iteration"]!;
    expect(done).toBeLessThan(countersOf("whole")["iteration"]!);
    expect(logged("stopped").filter((e) => (e as { event: string }).event === "step")).toHaveLength(done);

    const resumed = await dlmc(["train", "spots.dlm", "--resume", "stopped"], { cwd: folder });
    expect(resumed.status).toBe(0);
    sameAsWhole("stopped");
  });

  test("a run of another seed is not gone on with", async () => {
    const result = await dlmc(["train", "spots.dlm", "--resume", "whole", "--seed", "5"], { cwd: folder });
    expect(result.status).toBe(1);
    expect(result.err).toMatch(/^error: the run began with seed 0, not 5\nhelp: leave --seed out/);
    sameAsWhole("whole");
  });
});
