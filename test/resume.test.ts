/** A run that is killed at any instant and resumed ends with the bits of one that was left alone. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { dlmc, jsonLines, start } from "./support/command-line.ts";
import { program, writeFlowers } from "./support/flowers.ts";
import { random, seedOfRun } from "./support/random.ts";

const seed = seedOfRun();
let folder: string;
const epochs = 40;

/** With state, noise, adam, a best epoch and early stop: all that a checkpoint has to keep. */
const text = program
  .replace("Dense(8) -> relu", "Dense(8) -> BatchNorm -> relu")
  .replace(
    "epochs     3",
    `epochs     ${epochs}\n  stop       early, watch = valid.loss, patience = ${epochs}`,
  );

beforeAll(async () => {
  folder = writeFlowers(mkdtempSync(join(tmpdir(), "dlmc-resume-")), { program: text });
  const whole = await dlmc(["train", "flowers.dlm", "-o", "whole"], { cwd: folder });
  expect(whole.err).toBe("");
  expect(whole.status).toBe(0);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function tensorsOf(file: string): Map<string, readonly number[]> {
  const { tensors } = readSafetensors(readFileSync(join(folder, file)), file);
  return new Map([...tensors].map(([name, { data }]) => [name, [...data]]));
}

function sameBits(run: string): void {
  for (const file of ["last.safetensors", "best.safetensors"])
    expect(tensorsOf(join(run, file)), `${run}/${file}`).toEqual(tensorsOf(join("whole", file)));
}

/** Epochs and steps in metrics.jsonl, without what depends on the clock. */
function logged(run: string): unknown[] {
  return jsonLines(readFileSync(join(folder, run, "metrics.jsonl"), "utf8")).map(
    ({ ms: _, ...event }) => event,
  );
}

describe(`SEED=${seed}`, () => {
  test("killed at random instants", async () => {
    const r = random(seed);
    let kills = 0;
    for (let again = 0; again < 4; again++) {
      const resume = existsSync(join(folder, "killed", "last.safetensors"))
        ? ["--resume", "killed"]
        : ["-o", "killed"];
      // the kill comes some events after the start, and a moment later, so that it hits files as they are written
      const events = 1 + Math.floor(r.next() * 60);
      let asked = false;
      const { ended } = start(["train", "flowers.dlm", ...resume, "--json"], {
        cwd: folder,
        output(out, child) {
          if (asked || out.split("\n").length <= events) return;
          asked = true;
          setTimeout(() => child.kill("SIGKILL"), r.next() * 20);
        },
      });
      if ((await ended).status === null) kills++;
    }
    expect(kills).toBeGreaterThan(0);
    const last = await dlmc(["train", "flowers.dlm", "--resume", "killed"], { cwd: folder });
    expect(last.err).toBe("");
    expect(last.status).toBe(0);
    sameBits("killed");
    expect(logged("killed")).toEqual(logged("whole"));
  });

  test("interrupted by Ctrl-C it saves, says how to go on, and ends with 130", async () => {
    let asked = false;
    const { ended } = start(["train", "flowers.dlm", "-o", "stopped"], {
      cwd: folder,
      output(out, child) {
        if (asked || !out.includes("epoch  3/")) return;
        asked = true;
        child.kill("SIGINT");
      },
    });
    const stopped = await ended;
    expect(stopped.status).toBe(130);
    expect(stopped.out).toContain("--resume stopped");
    expect((await dlmc(["train", "flowers.dlm", "--resume", "stopped"], { cwd: folder })).status).toBe(0);
    sameBits("stopped");
    expect(logged("stopped")).toEqual(logged("whole"));
  });
});
