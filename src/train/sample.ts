/** What a block's `sample` asks for, written into the run folder: a sheet of images where it is images, else the array. */
import { join } from "node:path";
import { evaluatePolynomial } from "../../runtime/artifact.ts";
import type { Model, TypedArray } from "../../runtime/index.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";
import type { Dataset } from "../data/dataset.ts";
import { fed } from "../evaluate/measure.ts";
import { makeFolder, writeFileAtomic } from "../files.ts";
import { feedsOf, inputNames } from "../fit.ts";
import { encodePng, sheetOf } from "../picture.ts";
import { writeNpy } from "../weights/npy.ts";
import type { DataSource } from "./loop.ts";
import type { TrainRequest } from "./train-program.ts";

/** With the same noise after every epoch, and the first rows of the validation split, or where it has none of what is trained on. */
export function sampler(
  { train: { plan }, output }: TrainRequest,
  seed: number,
  dataset: Dataset,
  graphs: ModelGraphs,
  model: Model,
): NonNullable<DataSource["sample"]> {
  const split = dataset.splits.valid.length > 0 ? "valid" : plan.split;
  const rows = dataset.splits[split].subarray(0, plan.batch);
  const feeds = feedsOf(inputNames(graphs, "sample"), dataset.plan);
  const [described] = model.manifest.entries.find(({ name }) => name === "sample")!.outputs;
  const folder = join(output, "samples");
  return async (weights, epoch) => {
    if (epoch % plan.sample!.every !== 0) return;
    model.setWeights(weights);
    Object.assign(model.control, { seed, iteration: 0 });
    const dims = { B: rows.length };
    const found = (await model.call("sample", fed(dataset, rows, feeds), { dims }))["sample"]!;
    const shape = described!.shape.map((size) => evaluatePolynomial(size, dims));
    makeFolder(folder);
    const name = `epoch-${String(epoch).padStart(4, "0")}`;
    const size = imageShape(shape);
    if (size) writeFileAtomic(join(folder, `${name}.png`), encodePng(sheetOf(found, size, rangeOf(found))));
    else writeFileAtomic(join(folder, `${name}.npy`), writeNpy(arrayOf(shape, found)));
  };
}

/** [count, height, width, channels] of what can be looked at. */
function imageShape([count, height, width, channels, ...more]: readonly number[]):
  [number, number, number, 1 | 3] | undefined {
  const known = channels === 1 || channels === 3;
  return known && more.length === 0 ? [count!, height!, width!, channels] : undefined;
}

/** Bytes run from 0 to 255, other numbers from -1 to 1 where one is below 0, else from 0 to 1. */
function rangeOf(values: TypedArray): readonly [number, number] {
  if (values instanceof Uint8Array) return [0, 255];
  return values.some((value) => value < 0) ? [-1, 1] : [0, 1];
}

function arrayOf(shape: readonly number[], data: TypedArray): Parameters<typeof writeNpy>[0] {
  if (data instanceof Float32Array) return { dtype: "f32", shape, data };
  return data instanceof Int32Array ? { dtype: "i32", shape, data } : { dtype: "u8", shape, data };
}
