/** Several threads in one memory: the same bits as one thread, in Node and in an isolated page. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";
import { afterAll, describe, expect, test } from "vitest";
import { compiled, openModel } from "../src/compile-program.ts";
import { emitModel } from "../src/emit/index.ts";
import { chooseModel, chooseTrain, graphsOf, mustBeSound, openProgram } from "../src/program.ts";
import { writeNpz } from "../src/weights/npy.ts";
import { random } from "./support/random.ts";

const folder = mkdtempSync(join(tmpdir(), "dlm-threads-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = 6;
const r = random(4);
const image = Float32Array.from({ length: rows * 256 }, () => 2 * r.next() - 1);
const label = Int32Array.from({ length: rows }, () => r.below(4));
writeFileSync(
  join(folder, "rows.npz"),
  writeNpz(
    new Map([
      ["image", { dtype: "f32" as const, shape: [rows, 16, 16], data: image }],
      ["label", { dtype: "i32" as const, shape: [rows], data: label }],
    ]),
  ),
);

/** Convolutions by tiles and directly, sums over all positions, dropout; a scan; products in a batch, a table of rows. */
const bodies = {
  pictures: `image -> expand(1, at = 3) -> Conv(16, 3) -> relu -> Conv(16, 3) -> BatchNorm -> relu -> maxpool(2) -> Conv(8, 3, stride = 2)
    -> flatten -> dropout(0.2) -> Dense(200) -> relu -> Dense(4)`,
  steps: `image -> Dense(24) -> Lstm(40) -> mean over H -> Dense(4)`,
  attention: `image -> Dense(32) -> LayerNorm -> MultiHeadAttention(4) -> gelu -> mean over H -> Dense(4)`,
} as const;

const program = (body: string): string => `dlm 1

data Rows from arrays("rows.npz") {
  input   image : f32[H=16, W=16]
  target  label : category("a", "b", "c", "d")
  split   train = 100%, seed = 1
}

model Net(image: f32[B, H=16, W=16]) -> [B, Class=4] {
  ${body}
}

train Net on Rows {
  loss       cross_entropy(out, label)
  optimizer  adam(1e-2)
  clip       1.0
  batch      6
  epochs     1
}
`;

function graphs(name: keyof typeof bodies) {
  const path = join(folder, `${name}.dlm`);
  writeFileSync(path, program(bodies[name]));
  const opened = openProgram(path);
  mustBeSound(opened);
  const train = chooseTrain(opened);
  return graphsOf(opened, chooseModel(opened, undefined), train, ["init", "infer", "train"]);
}

async function bitsOf(name: keyof typeof bodies, threads: number): Promise<readonly (readonly number[])[]> {
  const { model } = await openModel(graphs(name), { threads, max: () => ({ B: rows }) });
  const losses: number[] = [];
  for (let step = 0; step < 4; step++) {
    const { loss, ok } = await model.step({ image, label });
    expect(ok).toBe(true);
    losses.push(loss);
  }
  const out = [5, 1, rows].map(
    async (count) => (await model.run({ image: image.slice(0, 256 * count) }))["out"]!,
  );
  const found = [...(await Promise.all(out)), ...model.weights({ optimizer: true }).values()];
  const bits = [losses, ...found.map((numbers) => [...numbers])];
  model.destroy();
  return bits;
}

describe.each(Object.keys(bodies) as (keyof typeof bodies)[])("%s", (name) => {
  test("training and inference have the bits of one thread", async () => {
    const one = await bitsOf(name, 1);
    for (const threads of [2, 3, 4]) expect(await bitsOf(name, threads)).toEqual(one);
  });
});

test("what `dlmc compile --threads` writes runs in an isolated page, in one that is not, and in one without workers", async () => {
  const model = graphs("pictures");
  const plain = await compiled(model);
  const threaded = await compiled(model, { threads: true });
  const app = join(folder, "app");
  mkdirSync(app);
  emitModel(app, {
    strict: plain.strict!.artifact!,
    relaxed: plain.relaxed?.artifact,
    threads: threaded.relaxed?.artifact,
  });
  const { serve } = (await import("../examples/app-web/serve.mjs" as string)) as {
    serve: (folder: string, port: number) => Promise<{ address(): AddressInfo; close(): void }>;
  };
  const server = await serve(app, 0);
  const browser = await playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"],
  });
  try {
    const page = await browser.newPage();
    // as text: an import in a function would be the test runner's
    const code = `(async () => {
      const { load } = await import("/model/Net.js");
      const image = Float32Array.from(${JSON.stringify([...image])});
      const results = [];
      for (const threads of [1, 2, 3]) {
        const model = await load({ seed: 3, max: () => ({ B: 6 }), threads });
        const { out } = await model.run({ image });
        results.push([...out]);
        model.destroy();
      }
      return { results, isolated: crossOriginIsolated };
    })()`;
    const answers = (): Promise<unknown> => page.evaluate(code);
    const address = `http://127.0.0.1:${server.address().port}`;
    await page.goto(`${address}/`);
    const shared = (await answers()) as { results: number[][]; isolated: boolean };
    expect(shared.isolated).toBe(true);
    expect(shared.results[0]!.length).toBe(4 * rows);
    expect(shared.results[1]).toEqual(shared.results[0]);
    expect(shared.results[2]).toEqual(shared.results[0]);
    const withHeaders = async (change: (headers: Record<string, string>) => void): Promise<unknown> => {
      await page.unrouteAll();
      await page.route("**/*", async (route) => {
        const response = await route.fetch();
        const headers = response.headers();
        change(headers);
        await route.fulfill({ response, headers });
      });
      await page.goto(`${address}/index.html`);
      return answers();
    };
    const alone = await withHeaders((headers) => delete headers["cross-origin-opener-policy"]);
    expect(alone).toEqual({ results: shared.results, isolated: false });
    const noWorkers = await withHeaders(
      (headers) => (headers["content-security-policy"] = "worker-src 'none'"),
    );
    expect(noWorkers).toEqual(shared);
  } finally {
    await browser.close();
    server.close();
  }
});
