/** The update of a part: from the gradient of its losses to new weights, optimizer states and averages. */
import { asTensor } from "../check/arithmetic.ts";
import { control } from "../check/flow/block.ts";
import { isFrozen } from "../check/flow/freeze.ts";
import type { PartPlan, PlateauPlan } from "../check/flow/plans.ts";
import { optimizerOf, runUpdate } from "../check/flow/train.ts";
import type { TrainBlock, TrainPart } from "../check/flow/train.ts";
import type { Session } from "../check/session.ts";
import { checkType } from "../check/type.ts";
import type { TensorValue } from "../check/values.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { StateEntry } from "../ir/model.ts";
import { elementCount, tensor } from "../ir/tensor.ts";
import * as build from "../ops/build.ts";
import { finishEntry } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { normsOfParts, putRange, rangeOf, takeRange } from "./region.ts";
import type { Range, Region } from "./region.ts";

export interface TrainParts {
  readonly session: Session;
  readonly block: TrainBlock;
  readonly region: Region;
}

/** The weights that steps of a part change: those of its model that are not frozen. */
export function rangeOfPart({ region }: TrainParts, { model, frozen }: TrainPart): Range {
  return rangeOf(region, model.declaration.name.text, (path) => isFrozen(frozen, path, "weights"));
}

/**
 * Adds the gradient of r times the sum of squares (2 r w) and of r times the sum of absolute values (r sign w, 0 at 0)
 * over kernels and tables, which are the first part of the range.
 */
export function withPenalty(
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

export function normOf(b: GraphBuilder, gradient: Value): Value {
  return build.sqrt(b, build.reduceSum(b, build.mul(b, gradient, gradient), [0]));
}

/** The gradient scaled down to the norm `clip`, as torch.nn.utils.clip_grad_norm_ does it. */
function clipped(b: GraphBuilder, gradient: Value, norm: Value, clip: number | undefined): Value {
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
export function stateName({ name, stage }: Named, state: string): string {
  return ["optimizer", name ?? stage?.name, state].filter((each) => each !== undefined).join(".");
}

function ownsState({ shared }: Region, model: string, path: string): boolean {
  return !shared || path.startsWith(`${model}.`);
}

function sizesOf({ type }: Value): number[] {
  return type.shape.map((size) => dim.evaluate(size, new Map()));
}

/** What the states of an entry become where `ok` holds. */
export function statesAfter({ builder: b, states, updates }: Entry, ok: Value): Graph["writes"] {
  return [...updates].map(([path, value]) => {
    const input = states.get(path)!;
    return { input, value: build.select(b, ok, value, input) };
  });
}

export interface Update {
  /** of the gradient, before clipping */
  readonly norm: Value;
  /** where false, nothing is written: the gradient or `finite` was not finite */
  readonly ok: Value;
  readonly writes: Graph["writes"];
  readonly optimizer: readonly StateEntry[];
  /** the graph of the learning rate alone */
  readonly rate: Graph | undefined;
}

/** What an update takes in besides the weights. */
export interface UpdateInputs {
  /** of losses and penalties, as the range lies */
  readonly gradient: Value;
  /** must be finite too */
  readonly finite: Value | undefined;
  /** the states that steps of the part change, by path, as they are after it: for their averages */
  readonly states: ReadonlyMap<string, Value>;
}

export function updateOf(
  parts: TrainParts,
  part: TrainPart,
  entry: Entry,
  { gradient: raw, finite, states: after }: UpdateInputs,
): Update {
  const { block, region } = parts;
  const { builder: b, frame } = entry;
  const { text: owner, span } = part.model.declaration.name;
  const range = rangeOfPart(parts, part);
  const states: StateEntry[] = [];
  const writes: { readonly input: Value; readonly value: Value }[] = [];
  const norm = normOf(b, raw);
  const gradient = clipped(b, raw, norm, part.settings.clip);
  const isFinite = build.isFinite(b, norm);
  const ok = finite ? build.and(b, build.isFinite(b, finite), isFinite) : isFinite;
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
  const next = build.select(b, ok, update.w.value, before);
  writes.push({ input: entry.parameters(), value: putRange(b, entry.parameters(), region, range, next) });
  for (const [name, input] of stateInputs) {
    const value = update.states.get(name)?.value;
    if (value) guarded(input, value);
  }
  if (average !== undefined) {
    const averaged = (path: string, of: Value, sizes: readonly number[]): void => {
      const input = b.input(path, "state", of.type);
      states.push({ path, shape: sizes, initial: tensor("f32", sizes) });
      guarded(input, build.add(b, build.scale(b, input, average), build.scale(b, of, 1 - average)));
    };
    averaged(averageName(part), update.w.value, [range.size]);
    for (const [path, value] of after)
      if (ownsState(region, owner, path)) averaged(averageOfState(part, path), value, sizesOf(value));
  }
  const rate = update.rate && asTensor(frame, update.rate, span)?.value;
  return {
    norm,
    ok,
    writes,
    optimizer: states,
    rate: rate && finishEntry(entry, { name: "rate", outputs: [{ name: "rate", value: rate }], writes: [] }),
  };
}
