/** The entries of a training block: train (forward, backward, clip, update, guard) and grad for each part, and measure. */
import { losingParts, runForward, runSample } from "../check/flow/train.ts";
import type { Forward, PartLoss, TrainBlock, TrainPart } from "../check/flow/train.ts";
import type { PartPlan } from "../check/flow/plans.ts";
import { phasesOf } from "../check/flow/freeze.ts";
import type { Elaboration } from "../check/frame.ts";
import type { CheckValue, TensorValue } from "../check/values.ts";
import * as dim from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { StateEntry } from "../ir/model.ts";
import * as build from "../ops/build.ts";
import { differentiate } from "../passes/differentiate.ts";
import { gatherGraph, gatheredStates, updateGraph } from "./accumulate.ts";
import { beginEntry, finishEntry } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { gather, rangeOf } from "./region.ts";
import type { Range } from "./region.ts";
import { rangeOfPart, statesAfter, updateOf, withPenalty } from "./update.ts";
import type { TrainParts } from "./update.ts";

type SoundLoss = PartLoss & { readonly loss: TensorValue & { readonly value: Value } };

function forwardOf(
  entry: Entry,
  block: TrainBlock,
  parts: readonly TrainPart[],
): Pick<Forward, "out"> & { readonly losses: readonly SoundLoss[] } {
  const forward = runForward(entry.frame, block, parts);
  const losses = (forward?.losses ?? []).flatMap((each) => (isSound(each) ? [each] : []));
  if (!forward || losses.length < parts.length)
    throw new InternalError("entries", `the loss of ${block.declaration.name.text} has no graph`, undefined);
  return { out: forward.out, losses };
}

function isSound(each: PartLoss): each is SoundLoss {
  return each.loss?.value !== undefined;
}

/** `phaseAt`: of a part that leaves something frozen. */
function beginPart(
  { session, block, region }: TrainParts,
  { name }: TrainPart,
  phaseAt?: Elaboration["phaseAt"],
): Entry {
  return beginEntry(session, block.scope, "training", region, { salt: name && `${name}:`, phaseAt });
}

/** `out`, or `out.NAME` for several. */
export function outputsOf(out: CheckValue): Graph["outputs"] {
  if (out.kind === "tensor" && out.value) return [{ name: "out", value: out.value }];
  if (out.kind !== "record") return [];
  return [...out.fields].flatMap(([name, field]) =>
    field.kind === "tensor" && field.value ? [{ name: `out.${name}`, value: field.value }] : [],
  );
}

/**
 * Inference phase, no penalties: `loss`, its terms `loss.TERM` where it has several, and the model's outputs; where steps
 * take turns, `loss.MODEL` of each.
 */
export function measureGraph({ session, block, region }: TrainParts): Graph {
  const entry = beginEntry(session, block.scope, "inference", region);
  const { losses, out } = forwardOf(entry, block, losingParts(block));
  const outputs = losses.flatMap(({ part, loss, terms }) => {
    if (part.name !== undefined) return [{ name: `loss.${part.name}`, value: loss.value }];
    const named = terms.length > 1 ? terms : [];
    return [
      { name: "loss", value: loss.value },
      ...named.map(({ name, value }) => ({ name: `loss.${name}`, value: value.value! })),
    ];
  });
  if (out) outputs.push(...outputsOf(out));
  return finishEntry(entry, { name: "measure", outputs, writes: [] });
}

function lossOf(entry: Entry, { block }: TrainParts, part: TrainPart): Value {
  return forwardOf(entry, block, [part]).losses[0]!.loss.value;
}

/** The gradient of the loss towards the weights of the range, as one vector. */
function gradientOf({ builder, weights }: Entry, loss: Value, range: Range): Value {
  const values = range.weights.map(({ path }) => weights.get(path));
  const present = values.flatMap((value) => value ?? []);
  const found = differentiate(builder, loss, present);
  const byValue = new Map(present.map((value, i) => [value, found[i]]));
  return gather(
    builder,
    range,
    values.map((value) => value && byValue.get(value)),
  );
}

/** What the steps of a part are made of. */
export interface TrainEntries {
  readonly graphs: readonly Graph[];
  /** where steps only gather gradients: the entry that updates, and after how many of them */
  readonly update: { readonly entry: string; readonly every: number } | undefined;
  readonly rate: Graph | undefined;
  readonly optimizer: readonly StateEntry[];
}

/**
 * One step of a part, guarded: where loss or gradient is not finite nothing changes and `status` is 0. Written are the
 * weights of its model and the states of every model that ran. Where the block accumulates, the step gathers its gradient,
 * and the update is an entry of its own.
 */
export function trainEntries(parts: TrainParts, part: TrainPart): TrainEntries {
  const { accumulate } = parts.block.settings.plan;
  const entry = beginPart(parts, part, phasesOf(part.frozen, part.model.declaration.name.text));
  const { builder: b } = entry;
  const loss = lossOf(entry, parts, part);
  const range = rangeOfPart(parts, part);
  const gradient = gradientOf(entry, loss, range);
  if (accumulate > 1) {
    const states = new Map([...entry.updates].map(([path, { type }]) => [path, type]));
    const update = updateGraph(parts, part, states);
    return {
      graphs: [gatherGraph(entry, part, range, loss, gradient), update.graph],
      update: { entry: update.graph.name, every: accumulate },
      rate: update.rate,
      optimizer: [...update.optimizer, ...gatheredStates(part, range)],
    };
  }
  const update = updateOf(parts, part, entry, {
    gradient: withPenalty(entry, gradient, part, parts.region, range),
    finite: loss,
    states: entry.updates,
  });
  const outputs = [
    { name: "loss", value: loss },
    { name: "gradient_norm", value: update.norm },
    { name: "status", value: build.cast(b, update.ok, "i32") },
  ];
  const writes = [...update.writes, ...statesAfter(entry, update.ok)];
  return {
    graphs: [finishEntry(entry, { name: part.entry, outputs, writes })],
    update: undefined,
    rate: update.rate,
    optimizer: update.optimizer,
  };
}

/** `grad`, or `grad.Critic` of the step of that model. */
export function gradName({ name }: Pick<PartPlan, "name">): string {
  return name === undefined ? "grad" : `grad.${name}`;
}

/** Training phase, nothing written and nothing frozen: `loss` (no penalties) and `gradient` (of both, as the region lies; 0 for other models). */
export function gradGraph(parts: TrainParts, part: TrainPart): Graph {
  const entry = beginPart(parts, part);
  const loss = lossOf(entry, parts, part);
  const range = rangeOf(parts.region, part.model.declaration.name.text);
  const own = withPenalty(entry, gradientOf(entry, loss, range), part, parts.region, range);
  const start = range.pieces[0]?.start ?? 0;
  const after = parts.region.size - start - range.size;
  const gradient =
    range.size === parts.region.size
      ? own
      : build.pad(entry.builder, own, 0, dim.constant(start), dim.constant(after));
  const outputs = [
    { name: "loss", value: loss },
    { name: "gradient", value: gradient },
  ];
  return finishEntry(entry, {
    name: gradName(part),
    outputs,
    writes: [],
  });
}

/** Inference phase: what the block's `sample` asks for, as `sample`; undefined where it has none. */
export function sampleGraph({ session, block, region }: TrainParts): Graph | undefined {
  if (block.settings.sample === undefined) return undefined;
  const entry = beginEntry(session, block.scope, "inference", region, { salt: "sample:" });
  const value = runSample(entry.frame, block)?.value;
  if (!value)
    throw new InternalError(
      "entries",
      `the sample of ${block.declaration.name.text} has no graph`,
      undefined,
    );
  return finishEntry(entry, { name: "sample", outputs: [{ name: "sample", value }], writes: [] });
}
