/** A loaded model as the loop's device. */
import type { Model } from "../../runtime/index.ts";
import type { Device } from "./loop.ts";

export function modelDevice(model: Model): Device {
  const inputs = new Map(
    model.manifest.entries.map((entry) => [entry.name, entry.inputs.map((input) => input.name)]),
  );
  return {
    async step(batch, rows, control, entry) {
      // the entry of a step takes what its own loss reads
      const own = Object.fromEntries((inputs.get(entry) ?? []).map((name) => [name, batch[name]!]));
      const { loss, gradientNorm, ok } = await model.step(own, { entry, control, dims: { B: rows } });
      return { loss, gradientNorm, finite: ok };
    },
    snapshot: () => model.weights({ optimizer: true }),
    restore: (tensors) => model.setWeights(tensors),
  };
}
