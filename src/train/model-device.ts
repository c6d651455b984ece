/** A loaded model as the loop's device. */
import type { Model } from "../../runtime/index.ts";
import type { Device } from "./loop.ts";

export function modelDevice(model: Model): Device {
  return {
    async step(batch, rows, control) {
      const { loss, gradientNorm, ok } = await model.step(batch, { control, dims: { B: rows } });
      return { loss, gradientNorm, finite: ok };
    },
    snapshot: () => model.weights({ optimizer: true }),
    restore: (tensors) => model.setWeights(tensors),
  };
}
