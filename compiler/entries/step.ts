/**
 * The entry `step`: the model on a few new positions, with what it keeps of those before. A prompt is a step of many
 * positions, a new token one of a single position. One sequence at a time: the batch is 1.
 */
import { timeOf } from "../check/flow/generate.ts";
import { stepBuild } from "../check/flow/step.ts";
import type { StepBuild } from "../check/flow/step.ts";
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import type { Graph } from "../ir/graph.ts";
import type { Generate } from "../ir/model.ts";
import { InternalError } from "../ir/internal-error.ts";
import { pinDims } from "../passes/pin-dims.ts";
import { beginEntry, finishEntry } from "./entry.ts";
import type { ModelDims } from "./free-dims.ts";
import type { ModelParts } from "./infer.ts";
import { runModelAlone } from "./infer.ts";
import { outputsOf } from "./train.ts";

export function stepGraph(parts: ModelParts, { input, max }: Generate): Graph {
  const time = timeOf(parts.session, parts.model, input);
  if (!time) throw new InternalError("entries", `${input} has no positions`, undefined);
  let step: StepBuild | undefined;
  const entry = beginEntry(parts.session, parts.scope, "inference", parts.region, {
    step: (builder) => (step = stepBuild(builder, time, dim.constant(max))),
  });
  const outputs = outputsOf(runModelAlone(entry, { ...parts, inputs: [] }));
  const writes = step!.kept.map(({ input: kept, next }) => ({ input: kept, value: next }));
  const [name] = dim.symbolsOf(time);
  const sizes: ModelDims = {
    ...parts.sizes,
    dim: (each) => (each === name ? { name, max } : parts.sizes.dim(each)),
  };
  const graph = finishEntry(entry, { name: "step", outputs, writes, sizes });
  const tokens = graph.inputs.find(({ source }) => !isNode(source) && source.name === input);
  const [batch] = tokens ? dim.symbolsOf(tokens.type.shape[0]!) : [];
  return pinDims(graph, new Map(batch === undefined ? [] : [[batch, 1]]));
}
