/** The entries of a training block: train (forward, backward, clip, update, guard), measure and grad. */
import { asTensor } from "../check/arithmetic.ts";
import { control } from "../check/flow/block.ts";
import { optimizerOf, runForward, runUpdate } from "../check/flow/train.ts";
import type { Forward, TrainBlock } from "../check/flow/train.ts";
import type { PlateauPlan, TrainPlan } from "../check/flow/plans.ts";
import type { Session } from "../check/session.ts";
import { checkType } from "../check/type.ts";
import type { CheckValue, TensorValue } from "../check/values.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import * as dim from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { StateEntry } from "../ir/model.ts";
import { tensor } from "../ir/tensor.ts";
import * as build from "../ops/build.ts";
import { differentiate } from "../passes/differentiate.ts";
import { beginEntry, finishEntry } from "./entry.ts";
import type { Entry } from "./entry.ts";
import { gather, normsOfParts } from "./region.ts";
import type { Region } from "./region.ts";

export interface TrainParts {
  readonly session: Session;
  readonly block: TrainBlock;
  readonly plan: TrainPlan;
  readonly region: Region;
}

function forwardOf(entry: Entry, block: TrainBlock): Forward & { readonly loss: TensorValue } {
  const forward = runForward(entry.frame, block);
  if (!forward?.loss?.value)
    throw new InternalError("entries", `the loss of ${block.declaration.name.text} has no graph`, undefined);
  return { ...forward, loss: forward.loss };
}

/** `out`, or `out.NAME` for several. */
export function outputsOf(out: CheckValue): Graph["outputs"] {
  if (out.kind === "tensor" && out.value) return [{ name: "out", value: out.value }];
  if (out.kind !== "record") return [];
  return [...out.fields].flatMap(([name, field]) =>
    field.kind === "tensor" && field.value ? [{ name: `out.${name}`, value: field.value }] : [],
  );
}

/** Inference phase: `loss` (no penalties) and the model's outputs. */
export function measureGraph({ session, block, region }: TrainParts): Graph {
  const entry = beginEntry(session, block.scope, "inference", region);
  const { loss, out, terms } = forwardOf(entry, block);
  const named =
    terms.length > 1 ? terms.map(({ name, value }) => ({ name: `loss.${name}`, value: value.value! })) : [];
  const outputs = [{ name: "loss", value: loss.value! }, ...named, ...outputsOf(out)];
  return finishEntry(entry, { name: "measure", outputs, writes: [] });
}

/** The gradient of the loss and its penalties as one vector. */
function gradientOf(entry: Entry, loss: Value, { region, plan }: TrainParts): Value {
  const { builder } = entry;
  const values = region.weights.map(({ path }) => entry.weights.get(path));
  const present = values.flatMap((value) => value ?? []);
  const found = differentiate(builder, loss, present);
  const byValue = new Map(present.map((value, i) => [value, found[i]]));
  const gradient = gather(
    builder,
    region,
    values.map((value) => value && byValue.get(value)),
  );
  return withPenalty(entry, gradient, region, plan);
}

/**
 * Adds the gradient of r times the sum of squares (2 r w) and of r times the sum of absolute values (r sign w, 0 at 0)
 * over kernels and tables, which are the first part of the region.
 */
function withPenalty(entry: Entry, gradient: Value, region: Region, { penalty }: TrainPlan): Value {
  const { builder: b } = entry;
  if (penalty.l1 === 0 && penalty.l2 === 0) return gradient;
  const rest = region.weights.find(({ kind }) => kind === "other")?.offset ?? region.size;
  if (rest === 0) return gradient;
  const w = build.slice(b, entry.parameters(), 0, dim.zero, dim.constant(rest));
  const zero = build.fullLike(b, 0, w);
  const parts: Value[] = [];
  if (penalty.l2 !== 0) parts.push(build.scale(b, w, 2 * penalty.l2));
  if (penalty.l1 !== 0) {
    const rate = build.fullLike(b, penalty.l1, w);
    const negative = build.select(b, build.lt(b, w, zero), build.fullLike(b, -penalty.l1, w), zero);
    parts.push(build.select(b, build.lt(b, zero, w), rate, negative));
  }
  const sum = parts.reduce((x, y) => build.add(b, x, y));
  return build.add(b, gradient, build.pad(b, sum, 0, dim.zero, dim.constant(region.size - rest)));
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

/**
 * One step, guarded: where loss or gradient is not finite nothing changes and `status` is 0. `rate` is the graph of the
 * learning rate alone.
 */
export function trainGraph(parts: TrainParts): {
  readonly graph: Graph;
  readonly rate: Graph | undefined;
  readonly optimizer: readonly StateEntry[];
} {
  const { session, block, plan, region } = parts;
  const entry = beginEntry(session, block.scope, "training", region);
  const { builder: b, frame } = entry;
  const { loss } = forwardOf(entry, block);
  const states: StateEntry[] = [];
  const writes: { input: Value; value: Value }[] = [];
  const raw = gradientOf(entry, loss.value!, parts);
  const norm = normOf(entry, raw);
  const gradient = clipped(entry, raw, norm, plan.clip);
  const ok = build.and(b, build.isFinite(b, loss.value!), build.isFinite(b, norm));
  const guarded = (input: Value, value: Value): void =>
    void writes.push({ input, value: build.select(b, ok, value, input) });

  const { span } = block.declaration.name;
  const shape = [dim.constant(region.size)];
  const origin = { kind: "written", span, name: undefined } as const;
  const vectorType = checkType("f32", [{ label: undefined, size: { dim: shape[0]!, origin } }]);
  const vector = (value: Value): TensorValue => ({ kind: "tensor", type: vectorType, value, span });
  const stateInputs = new Map<string, Value>();
  const optimizer = optimizerOf(frame, block);
  const scalar = (name: string): TensorValue => ({
    kind: "tensor",
    type: checkType("f32", []),
    value: control(b, name, "f32"),
    span,
  });
  const update =
    optimizer &&
    runUpdate(frame, optimizer, {
      w: vector(entry.parameters()),
      g: vector(gradient),
      step: scalar("step"),
      state(name, initial) {
        const path = `optimizer.${name}`;
        const input = b.input(path, "state", { dtype: "f32", shape });
        stateInputs.set(name, input);
        const data = new Float64Array(region.size).fill(initial);
        states.push({ path, shape: [region.size], initial: tensor("f32", [region.size], data) });
        return vector(input);
      },
      norms: (_, x) => normsOfParts(b, region, x),
      changeRate: plan.plateau && ((rate) => slowed(b, rate, plan.plateau!)),
    });
  if (!update?.w.value)
    throw new InternalError("entries", `the optimizer of ${plan.name} has no graph`, undefined);
  guarded(entry.parameters(), update.w.value);
  for (const [name, input] of stateInputs) {
    const value = update.states.get(name)?.value;
    if (value) guarded(input, value);
  }
  for (const [path, value] of entry.updates) guarded(entry.states.get(path)!, value);
  const outputs = [
    { name: "loss", value: loss.value! },
    { name: "gradient_norm", value: norm },
    { name: "status", value: build.cast(b, ok, "i32") },
  ];
  const rate = update.rate && asTensor(frame, update.rate, span)?.value;
  return {
    graph: finishEntry(entry, { name: "train", outputs, writes }),
    rate: rate && finishEntry(entry, { name: "rate", outputs: [{ name: "rate", value: rate }], writes: [] }),
    optimizer: states,
  };
}

/** Training phase, nothing written: `loss` (no penalties) and `gradient` (of loss and penalties, as the region lies). */
export function gradGraph(parts: TrainParts): Graph {
  const entry = beginEntry(parts.session, parts.block.scope, "training", parts.region);
  const { loss } = forwardOf(entry, parts.block);
  const outputs = [
    { name: "loss", value: loss.value! },
    { name: "gradient", value: gradientOf(entry, loss.value!, parts) },
  ];
  return finishEntry(entry, { name: "grad", outputs, writes: [] });
}
