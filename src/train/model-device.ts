/** A loaded model as the loop's device. */
import type { Model } from "../../runtime/index.ts";
import type { Device } from "./loop.ts";

export function modelDevice(model: Model): Device {
  const entries = new Map(
    model.manifest.entries.map((entry) => [
      entry.name,
      { inputs: entry.inputs.map((input) => input.name), gathers: entry.update !== undefined },
    ]),
  );
  return {
    async step(batch, rows, control, entry) {
      const { inputs = [], gathers = false } = entries.get(entry) ?? {};
      // the entry of a step takes what its own loss reads
      const own = Object.fromEntries(inputs.map((name) => [name, batch[name]!]));
      const { loss, gradientNorm, ok } = await model.step(own, {
        entry,
        control,
        dims: { B: rows },
        ...(gathers ? { update: false } : {}),
      });
      return { loss, gradientNorm, finite: ok };
    },
    async update(control, entry) {
      const { gradientNorm, ok } = await model.update({ entry, control });
      return { gradientNorm, finite: ok };
    },
    snapshot: () => model.weights({ optimizer: true }),
    restore: (tensors) => model.setWeights(tensors),
  };
}
