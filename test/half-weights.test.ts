/** Weights that are stored as f16: half the bytes, loaded as f32, and what is lost. */
import { expect, test } from "vitest";
import { compileModel } from "../compiler/compile.ts";
import { readManifest } from "../runtime/artifact.ts";
import { load } from "../runtime/index.ts";
import { weightsFile } from "../src/emit/weights.ts";
import { halfPrecision, smallestHalf } from "../src/weights/half.ts";
import { random } from "./support/random.ts";
import { entriesOfText } from "./support/training-graph.ts";

const text = `dlm 1

model Wide(x: [B, D=32]) -> [B, Class=10] {
  x -> Dense(256, bias = false) -> BatchNorm -> relu -> Dense(256) -> tanh -> Dense(10)
}
`;

const result = await compileModel(entriesOfText(text, ["init", "infer"]), {
  version: "test",
  relaxed: false,
});
const artifact = result.strict!.artifact!;
const { manifest } = readManifest(artifact);
const exact = await load(artifact, { seed: 4 });
const tensors = exact.weights();
tensors.set("batch_norm0.v", new Float32Array(256).fill(1e6));
exact.setWeights(tensors);

test("lose at most 2^-11 of each weight, and nothing of a state", async () => {
  const half = weightsFile(manifest, tensors, "f16");
  expect(half.length / weightsFile(manifest, tensors).length).toBeLessThan(0.55);
  const model = await load(artifact, { weights: half });
  const loaded = model.weights();
  for (const { path } of manifest.weights)
    loaded.get(path)!.forEach((value, i) => {
      const wanted = tensors.get(path)![i]!;
      // the distance of the smallest numbers is fixed
      const most = Math.max(halfPrecision * Math.abs(wanted), smallestHalf / 2);
      if (!(Math.abs(value - wanted) <= most)) expect.fail(`${path} ${i}: ${value} for ${wanted}`);
    });
  for (const { path } of manifest.states) expect(loaded.get(path)).toEqual(tensors.get(path));

  const numbers = random(2);
  const x = Float32Array.from({ length: 16 * 32 }, () => 2 * numbers.next() - 1);
  const [wanted, found] = await Promise.all([exact, model].map(async (each) => (await each.run({ x })).out!));
  const most = Math.max(...[...wanted!].map(Math.abs));
  const apart = Math.max(...[...wanted!].map((value, i) => Math.abs(value - found![i]!)));
  expect(apart).toBeGreaterThan(0);
  expect(apart).toBeLessThan(most * 2e-3);
});

test("are refused where f16 cannot hold one", () => {
  const large = new Map(tensors).set(
    "dense2.shift",
    Float32Array.from({ length: 10 }, (_, i) => 1e5 * i),
  );
  expect(() => weightsFile(manifest, large, "f16")).toThrow(
    "f16 cannot hold 100000, a number of dense2.shift",
  );
});
