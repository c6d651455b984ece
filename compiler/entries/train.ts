/** The entries of a training block: train (forward, backward, clip, update, guard) and grad for each part, and measure. */
import { asTensor } from "../check/arithmetic.ts";
import { control } from "../check/flow/block.ts";
import { losingParts, optimizerOf, runForward, runSample, runUpdate } from "../check/flow/train.ts";
import type { Forward, PartLoss, TrainBlock, TrainPart } from "../check/flow/train.ts";
import type { PartPlan, PlateauPlan } from "../check/flow/plans.ts";
import { isFrozen, phasesOf } from "../check/flow/freeze.ts";
import type { Elaboration } from "../check/frame.ts";
import type { Session } from "../check/session.ts";
import { checkType } from "../check/type.ts";
import type { CheckValue, TensorValue } from "../check/values.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { StateEntry } from "../ir/model.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import * as build from "../ops/build.ts";
import { differentiate } from "../passes/differentiate.ts";
import { beginEntry, finishEntry } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { gather, normsOfParts, putRange, rangeOf, takeRange } from "./region.ts";
import type { Range, Region } from "./region.ts";

export interface TrainParts {
  readonly session: Session;
  readonly block: TrainBlock;
  readonly region: Region;
}

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

/** The gradient of the loss and its penalties towards the weights of the range, as one vector. */
function gradientOf(entry: Entry, loss: Value, part: TrainPart, region: Region, range: Range): Value {
  const { builder } = entry;
  const values = range.weights.map(({ path }) => entry.weights.get(path));
  const present = values.flatMap((value) => value ?? []);
  const found = differentiate(builder, loss, present);
  const byValue = new Map(present.map((value, i) => [value, found[i]]));
  const gradient = gather(
    builder,
    range,
    values.map((value) => value && byValue.get(value)),
  );
  return withPenalty(entry, gradient, part, region, range);
}

/**
 * Adds the gradient of r times the sum of squares (2 r w) and of r times the sum of absolute values (r sign w, 0 at 0)
 * over kernels and tables, which are the first part of the range.
 */
function withPenalty(
  entry: Entry,
  gradient: Value,
  { settings: { penalty } }: TrainPart,
  region: Region,
  range: Range,
): Value {
  const { builder: b } = entry;
  if (penalty.l1 === 0 && penalty.l2 === 0) return gradient;
  const penalised = range.weights.filter(({ kind }) => kind !== "other");
  const count = penalised.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  if (count === 0) return gradient;
  const all = takeRange(b, entry.parameters(), region, range);
  const w = build.slice(b, all, 0, dim.zero, dim.constant(count));
  const zero = build.fullLike(b, 0, w);
  const parts: Value[] = [];
  if (penalty.l2 !== 0) parts.push(build.scale(b, w, 2 * penalty.l2));
  if (penalty.l1 !== 0) {
    const rate = build.fullLike(b, penalty.l1, w);
    const negative = build.select(b, build.lt(b, w, zero), build.fullLike(b, -penalty.l1, w), zero);
    parts.push(build.select(b, build.lt(b, zero, w), rate, negative));
  }
  const sum = parts.reduce((x, y) => build.add(b, x, y));
  return build.add(b, gradient, build.pad(b, sum, 0, dim.zero, dim.constant(range.size - count)));
}

function normOf(entry: Entry, gradient: Value): Value {
  const { builder: b } = entry;
  return build.sqrt(b, build.reduceSum(b, build.mul(b, gradient, gradient), [0]));
}

/** The gradient scaled down to the norm `clip`, as torch.nn.utils.clip_grad_norm_ does it. */
function clipped(entry: Entry, gradient: Value, norm: Value, clip: number | undefined): Value {
  const { builder: b } = entry;
  if (clip === undefined) return gradient;
  const factor = build.div(b, build.constantScalar(b, clip), build.shift(b, norm, 1e-6));
  return build.mul(b, gradient, build.min(b, factor, build.constantScalar(b, 1)));
}

/** The rate times the factor that measured values led to; where it would be lower than `least`, `least` or the rate itself. */
function slowed(b: GraphBuilder, rate: Value, { least }: PlateauPlan): Value {
  const lower = build.mul(b, rate, control(b, "rate_factor", "f32"));
  return build.max(b, lower, build.min(b, rate, build.constantScalar(b, least)));
}

/** The optimizer state that is the moving average of the part's weights, times 1 - decay^updates. */
export function averageName(part: Named): string {
  return stateName(part, "average");
}

/** The same of a state of the model. Steps that take turns have states apart, stages have the same. */
export function averageOfState({ name, stage }: Named, path: string): string {
  return stateName({ name: name && undefined, stage }, `average.${path}`);
}

type Named = Pick<PartPlan, "name"> & { readonly stage: { readonly name: string } | undefined };

/** A state of the optimizer of a part: `optimizer.m`, or `optimizer.Critic.m` of a step or stage. */
function stateName({ name, stage }: Named, state: string): string {
  return ["optimizer", name ?? stage?.name, state].filter((each) => each !== undefined).join(".");
}

function ownsState({ shared }: Region, model: string, path: string): boolean {
  return !shared || path.startsWith(`${model}.`);
}

function sizesOf({ type }: Value): number[] {
  return type.shape.map((size) => dim.evaluate(size, new Map()));
}

/**
 * One step of a part, guarded: where loss or gradient is not finite nothing changes and `status` is 0. Written are the
 * weights of its model and the states of every model that ran. `rate` is the graph of the learning rate alone.
 */
export function trainGraph(
  parts: TrainParts,
  part: TrainPart,
): {
  readonly graph: Graph;
  readonly rate: Graph | undefined;
  readonly optimizer: readonly StateEntry[];
} {
  const { block, region } = parts;
  const entry = beginPart(parts, part, phasesOf(part.frozen, part.model.declaration.name.text));
  const { builder: b, frame } = entry;
  const [{ loss } = { loss: undefined }] = forwardOf(entry, block, [part]).losses;
  const { text: owner, span } = part.model.declaration.name;
  const range = rangeOf(region, owner, (path) => isFrozen(part.frozen, path, "weights"));
  const states: StateEntry[] = [];
  const writes: { input: Value; value: Value }[] = [];
  const raw = gradientOf(entry, loss!.value, part, region, range);
  const norm = normOf(entry, raw);
  const gradient = clipped(entry, raw, norm, part.settings.clip);
  const ok = build.and(b, build.isFinite(b, loss!.value), build.isFinite(b, norm));
  const guarded = (input: Value, value: Value): void =>
    void writes.push({ input, value: build.select(b, ok, value, input) });

  const shape = [dim.constant(range.size)];
  const origin = { kind: "written", span, name: undefined } as const;
  const vectorType = checkType("f32", [{ label: undefined, size: { dim: shape[0]!, origin } }]);
  const vector = (value: Value): TensorValue => ({ kind: "tensor", type: vectorType, value, span });
  const stateInputs = new Map<string, Value>();
  const { average, plateau } = block.settings.plan;
  const optimizer = optimizerOf(frame, part);
  const step: TensorValue = {
    kind: "tensor",
    type: checkType("f32", []),
    value: control(b, "step", "f32"),
    span,
  };
  const before = takeRange(b, entry.parameters(), region, range);
  const update =
    optimizer &&
    runUpdate(frame, optimizer, {
      w: vector(before),
      g: vector(gradient),
      step,
      state(name, initial) {
        const path = stateName(part, name);
        const input = b.input(path, "state", { dtype: "f32", shape });
        stateInputs.set(name, input);
        const data = new Float64Array(range.size).fill(initial);
        states.push({ path, shape: [range.size], initial: tensor("f32", [range.size], data) });
        return vector(input);
      },
      norms: (_, x) => normsOfParts(b, range, x),
      changeRate: plateau && ((rate) => slowed(b, rate, plateau)),
    });
  if (!update?.w.value)
    throw new InternalError("entries", `the optimizer of ${part.entry} has no graph`, undefined);
  const after = build.select(b, ok, update.w.value, before);
  writes.push({ input: entry.parameters(), value: putRange(b, entry.parameters(), region, range, after) });
  for (const [name, input] of stateInputs) {
    const value = update.states.get(name)?.value;
    if (value) guarded(input, value);
  }
  for (const [path, value] of entry.updates) guarded(entry.states.get(path)!, value);
  if (average !== undefined) {
    const averaged = (path: string, of: Value, sizes: readonly number[]): void => {
      const input = b.input(path, "state", of.type);
      states.push({ path, shape: sizes, initial: tensor("f32", sizes) });
      guarded(input, build.add(b, build.scale(b, input, average), build.scale(b, of, 1 - average)));
    };
    averaged(averageName(part), update.w.value, [range.size]);
    for (const [path, value] of entry.updates)
      if (ownsState(region, owner, path)) averaged(averageOfState(part, path), value, sizesOf(value));
  }
  const outputs = [
    { name: "loss", value: loss!.value },
    { name: "gradient_norm", value: norm },
    { name: "status", value: build.cast(b, ok, "i32") },
  ];
  const rate = update.rate && asTensor(frame, update.rate, span)?.value;
  return {
    graph: finishEntry(entry, { name: part.entry, outputs, writes }),
    rate: rate && finishEntry(entry, { name: "rate", outputs: [{ name: "rate", value: rate }], writes: [] }),
    optimizer: states,
  };
}

/** `grad`, or `grad.Critic` of the step of that model. */
export function gradName({ name }: Pick<PartPlan, "name">): string {
  return name === undefined ? "grad" : `grad.${name}`;
}

/** Training phase, nothing written and nothing frozen: `loss` (no penalties) and `gradient` (of both, as the region lies; 0 for other models). */
export function gradGraph(parts: TrainParts, part: TrainPart): Graph {
  const entry = beginPart(parts, part);
  const [{ loss } = { loss: undefined }] = forwardOf(entry, parts.block, [part]).losses;
  const range = rangeOf(parts.region, part.model.declaration.name.text);
  const own = gradientOf(entry, loss!.value, part, parts.region, range);
  const start = range.pieces[0]?.start ?? 0;
  const after = parts.region.size - start - range.size;
  const gradient =
    range.size === parts.region.size
      ? own
      : build.pad(entry.builder, own, 0, dim.constant(start), dim.constant(after));
  const outputs = [
    { name: "loss", value: loss!.value },
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
