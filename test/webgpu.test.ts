/** Models on WebGPU: trained and run beside wasm, what one call costs, and how it fails. */
import { beforeAll, describe, expect, test } from "vitest";
import { modelGraphs } from "../compiler/entries/model-graphs.ts";
import { renderAll } from "../grammar/render.ts";
import { readGpuArtifact } from "../runtime/gpu-artifact.ts";
import { openProgram } from "../runtime/gpu-program.ts";
import { DlmError, load as loadOnWasm } from "../runtime/index.ts";
import { load, type LoadedModel } from "../runtime/webgpu.ts";
import { compiled } from "../src/compile-program.ts";
import { checkText } from "./support/check-text.ts";
import { openAdapter, testDevice } from "./support/gpu.ts";
import { random } from "./support/random.ts";

const text = `dlm 1

data Points from arrays("points.npz") {
  input  picture : u8[H=6, W=6, C=1]
  target kind : category("round", "square", "other")
  split  train = 48, valid = 6, seed = 3
}

model Net(picture: u8[B, H=6, W=6, C=1]) -> [B, Class=3] {
  picture -> scale(1/16)
    -> Conv(8, 3, bias = false) -> BatchNorm -> relu
    -> maxpool(2) -> flatten -> dropout(0.3)
    -> Dense(16) -> relu -> Dense(3)
}

train Net on Points {
  loss       cross_entropy(out, kind)
  optimizer  adam(2e-3)
  clip       1
  batch      16
  epochs     20
}
`;

const graphs = (() => {
  const { session, scope, flow, diagnostics } = checkText(text);
  expect(renderAll(diagnostics)).toBe("");
  const [checked] = flow.trains;
  const { model } = checked!.block;
  const entries = ["init", "infer", "train", "measure"] as const;
  const request = { session, scope, model, train: checked, data: flow.plans.data, entries };
  return { ...modelGraphs(request), span: checked!.plan.span };
})();

const r = random(9);
const batch = (rows: number) => ({
  picture: Uint8Array.from({ length: 36 * rows }, () => Math.floor(16 * r.next())),
  kind: Int32Array.from({ length: rows }, () => Math.floor(3 * r.next())),
});

let gpu: Uint8Array;
let strict: Uint8Array;

beforeAll(async () => {
  gpu = (await compiled(graphs, { target: "webgpu" })).wgsl!.artifact!;
  strict = (await compiled(graphs, { relaxed: false })).strict!.artifact!;
});

async function onGpu(): Promise<LoadedModel> {
  return load({ gpu }, { device: await testDevice(), target: "webgpu" });
}

describe("a model with dropout", () => {
  test("is trained for 50 steps as on wasm, and infers the same", async () => {
    const a = await loadOnWasm(strict, { seed: 1 });
    const b = await onGpu();
    b.setWeights(a.weights({ optimizer: true }));
    b.control.seed = 1;
    for (let step = 0; step < 50; step++) {
      const rows = batch(step % 5 === 4 ? 7 : 16);
      const [x, y] = [await a.step(rows), await b.step(rows)];
      expect(y.ok).toBe(true);
      expect(Math.abs(x.loss - y.loss) / Math.abs(x.loss), `step ${step}`).toBeLessThan(1e-3);
    }
    const { picture } = batch(5);
    const [x, y] = [(await a.run({ picture }))["out"]!, (await b.run({ picture }))["out"]!];
    expect(y.length).toBe(15);
    x.forEach((value, i) => expect(Math.abs(value - y[i]!)).toBeLessThan(1e-2));
    const [p, q] = [a.weights(), await b.weights()];
    expect([...q.keys()]).toEqual([...p.keys()]);
    // more rows than memory is planned for run in chunks
    const many = batch(70);
    const whole = (await b.run({ picture: many.picture }))["out"]!;
    const first = (await b.run({ picture: many.picture.subarray(0, 36) }))["out"]!;
    expect(whole.length).toBe(210);
    first.forEach((value, i) => expect(Math.abs(value - whole[i]!)).toBeLessThan(1e-5));
    b.destroy();
    await expect(b.run({ picture })).rejects.toThrow(/destroyed/);
  }, 120_000);

  test("a step is one submit, of as many dispatches as there are kernels", async () => {
    const { manifest, code } = readGpuArtifact(gpu);
    const entry = manifest.entries.find(({ name }) => name === "train")!;
    const program = await openProgram(await testDevice(), code, {
      sharedBytes: manifest.sharedBytes,
      bytes: 1 << 22,
      maxima: new Map(
        manifest.entries.map((each) => [each.name, each.dims.map(({ name }) => [name, 16] as const)]),
      ),
    });
    await program.run(entry.name, [16], [{ offset: 0, bytes: 4 }]);
    const { dispatches, submits } = program.counts;
    expect(submits).toBe(1);
    expect(dispatches).toBe(code.entries.find(({ name }) => name === "train")!.steps.length);
    process.stdout.write(`a training step is ${dispatches} dispatches\n`);
    expect(dispatches).toBeLessThanOrEqual(24);
    program.destroy();
  }, 120_000);
});

describe("where there is no WebGPU", () => {
  test("a model runs on wasm, and says why", async () => {
    const model = await load({ gpu, strict, threadsRelaxed: false } as never);
    expect([model.target, model.fallback]).toEqual(["wasm", "this engine has no WebGPU"]);
    expect((await model.weights()).size).toBeGreaterThan(0);
    model.destroy();
  });

  test("one of WebGPU alone is refused", async () => {
    await expect(load({ gpu })).rejects.toMatchObject({ code: "gpu", message: "this engine has no WebGPU" });
    await expect(load({ gpu }, { target: "wasm" })).rejects.toMatchObject({ code: "entry" });
  });
});

describe("errors", () => {
  test("a kernel that the device refuses is named with its layer", async () => {
    const { code } = readGpuArtifact(gpu);
    const at = code.kernels.findIndex(({ layer }) => layer !== "");
    const broken = code.kernels.map((each, i) => (i === at ? { ...each, code: `${each.code}\nlet` } : each));
    const memory = { sharedBytes: 1 << 16, bytes: 1 << 20, maxima: new Map() };
    const { layer, name } = code.kernels[at]!;
    await expect(openProgram(await testDevice(), { ...code, kernels: broken }, memory)).rejects.toMatchObject(
      { code: "kernel", layer, message: expect.stringContaining(name) as string },
    );
  });

  test("a lost device rejects the call and all later ones", async () => {
    const device = await (await openAdapter()).requestDevice();
    const model = await load({ gpu }, { device, target: "webgpu" });
    device.destroy();
    const { picture } = batch(1);
    await expect(model.run({ picture })).rejects.toThrow(DlmError);
    await expect(model.run({ picture })).rejects.toThrow(/device was lost/);
  }, 120_000);

  test("a file that was cut off or altered is refused", async () => {
    const device = await testDevice();
    const altered = gpu.slice();
    altered[altered.length - 20]! ^= 1;
    for (const bytes of [gpu.subarray(0, 100), gpu.subarray(0, gpu.length - 1), altered])
      await expect(load({ gpu: bytes }, { device })).rejects.toMatchObject({ code: "artifact" });
  });
});
