/** What an app holds: a loaded model. Calls queue in order; the first trap is what all later ones reject with. */
import type { Entry, Manifest, ParameterEntry } from "./artifact.ts";
import { DlmError, fail } from "./error.ts";
import { generateTokens, type GenerateOptions, type Step, type Token } from "./generate.ts";
import { dimOf, gather, type Given, type Inputs, type Numbers, solveDims, writeInput } from "./inputs.ts";
import { checkSignal } from "./platform.ts";
import { type Prediction, predictions } from "./predictions.ts";
import {
  arrayTypeOf,
  countOf,
  type Device,
  type DeviceEntry,
  lengthOf,
  type Slot,
  type TypedArray,
} from "./wasm-device.ts";

export type Outputs = Record<string, TypedArray>;

export interface CallOptions {
  /** arrays to be filled and returned, by output name; with all of them given, a call allocates no memory */
  readonly into?: Outputs;
  /** sizes of free dims that the number of elements does not tell */
  readonly dims?: Readonly<Record<string, number>>;
  /** of what is drawn in this call; that of `control` where absent */
  readonly seed?: number;
  /** looked at before the call, and between the chunks of a large one */
  readonly signal?: AbortSignal;
}

/** Scalars that entries read. The counters go on by themselves with every step. */
export interface Control {
  /** of every random number */
  seed: number;
  /** batches so far */
  iteration: number;
  /** updates so far, and one: what bias correction and schedules count */
  step: number;
  steps_per_epoch: number;
  /** multiplies the learning rate */
  rate_factor: number;
  /** positions before those of a step of generation */
  offset: number;
}

export interface StepOptions extends Omit<CallOptions, "into" | "seed"> {
  /** set before the step */
  readonly control?: Readonly<Partial<Control>>;
  /** where several models are trained by turns: `train.Critic`; `train` where absent */
  readonly entry?: string;
  /** where several batches make one update: whether this is the last of them; without it, every nth is */
  readonly update?: boolean;
}

export interface StepResult {
  readonly loss: number;
  /** before clipping; of the update, where the step made one */
  readonly gradientNorm: number;
  /** false: loss or gradient was not finite, and the batch changed nothing */
  readonly ok: boolean;
  /** the weights are new; false also where the gradient is kept for an update by several batches */
  readonly updated: boolean;
}

export interface Model {
  readonly manifest: Manifest;
  readonly control: Control;
  /**
   * Inference. Inputs by name, or one array where there is one input; they must stay as they are until the promise
   * settles. More rows than the maximum are run in chunks. Rejects with DlmError.
   */
  run(inputs?: Inputs | Numbers, options?: CallOptions): Promise<Outputs>;
  /** `run`, with outputs of named classes as one prediction a row */
  predict(
    inputs?: Inputs | Numbers,
    options?: CallOptions,
  ): Promise<Record<string, TypedArray | Prediction[]>>;
  /** One training step, which updates the weights, or is one of several batches that do. */
  step(batch: Inputs, options?: StepOptions): Promise<StepResult>;
  /** Where several batches make one update: makes it by those since the last one. */
  update(options?: Pick<StepOptions, "entry" | "control" | "signal">): Promise<Omit<StepResult, "loss">>;
  /** `loss`, the mean over the rows, and the model's outputs, without any update */
  measure(batch: Inputs, options?: CallOptions): Promise<Outputs>;
  /**
   * Tokens that go on from a prompt, one after the other, from a text or from numbers. One at a time: a later one ends
   * those before it. Rejects with DlmError.
   */
  generate(
    prompt: string | readonly number[],
    options?: GenerateOptions,
  ): AsyncGenerator<Token, void, undefined>;
  /** Any entry by its name: its outputs as they are */
  call(entry: string, inputs?: Inputs | Numbers, options?: CallOptions): Promise<Outputs>;
  /** New weights and states from the seed; optimizer state and counters are as at the start. */
  init(seed: number): Promise<void>;
  /** Copies of weights and states by path, with `optimizer` also of the optimizer's. */
  weights(options?: { readonly optimizer?: boolean }): Map<string, Float32Array>;
  /** Replaces some or all weights, states or optimizer states. Throws DlmError, and has then changed nothing. */
  setWeights(weights: ReadonlyMap<string, ArrayLike<number>>): void;
  /** Lets go of the memory, and of threads. */
  destroy(): void;
}

/** A model on WebGPU, whose weights come later. */
export interface GpuModel extends Omit<Model, "weights"> {
  weights(options?: { readonly optimizer?: boolean }): Promise<Map<string, Float32Array>>;
}

/** What one entry keeps from call to call, so that a call allocates nothing. */
interface CallState {
  readonly given: Given[];
  /** of `given`, where `sizes` were found from them */
  readonly lengths: number[];
  readonly sizes: Record<string, number>;
  readonly arguments: number[];
}

export function makeModel(manifest: Manifest, opened: Device): Model {
  let device: Device | undefined = opened;
  let failure: DlmError | undefined;
  /** prepared buffers do not show the weights yet */
  let stale = true;
  let underWay = 0;
  let last: Promise<unknown> | undefined;
  const unset = new Set([...manifest.weights, ...manifest.states].map((each) => each.path));
  /** outputs of the training step, filled anew by each */
  const scalars: Outputs = {};
  const states = new Map<DeviceEntry, CallState>();
  const control: Control = { seed: 0, iteration: 0, step: 1, steps_per_epoch: 1, rate_factor: 1, offset: 0 };

  function alive(): Device {
    if (failure) throw failure;
    return device ?? fail("destroyed", "this model was destroyed");
  }

  function entryOf(name: string): DeviceEntry {
    const { entries } = alive();
    return (
      entries.get(name) ??
      fail("entry", `${manifest.name} has no ${name}, only ${[...entries.keys()].join(", ")}`)
    );
  }

  /** `own`: control of this call alone. */
  function execute(
    entry: DeviceEntry,
    sizes: readonly number[],
    own?: Readonly<Record<string, number | undefined>>,
  ): void | Promise<void> {
    for (const { name, view } of entry.control)
      view(1)[0] = own?.[name] ?? control[name as keyof Control] ?? 0;
    const stopped = (cause: unknown): never => {
      throw (failure = new DlmError(
        "trap",
        `${entry.name} stopped: ${(cause as Error).message}`,
        entry.name,
        cause,
      ));
    };
    try {
      return entry.call(sizes)?.catch(stopped);
    } catch (cause) {
      stopped(cause);
    }
  }

  const updateAfter = (name: string): Entry["update"] =>
    manifest.entries.find((entry) => entry.name === name)?.update;

  /** Weights must be there, and what depends on them alone must be computed. */
  function makeReady({ name }: DeviceEntry): void | Promise<void> {
    for (const path of unset)
      fail("weights", `${manifest.name} has no weights yet: ${path} is not set`, name);
    const prepare = alive().entries.get("prepare");
    // what writes weights reads none that were prepared
    if (!stale || !prepare || (/^(train|update)\b/.test(name) && !updateAfter(name))) return;
    stale = false;
    return execute(
      prepare,
      prepare.dims.map((dim) => prepare.maxima[dim.name]!),
    );
  }

  /** Takes the inputs and finds the sizes; true where they are within the maxima. */
  function plan(
    entry: DeviceEntry,
    state: CallState,
    inputs: Inputs | Numbers | undefined,
    named: CallOptions["dims"],
  ): boolean {
    const { given, lengths, sizes } = state;
    gather(entry, inputs, given);
    let same = !named && given.length > 0 && lengths.length === given.length;
    for (let i = 0; same && i < given.length; i++) same = given[i]!.length === lengths[i];
    if (!same) {
      lengths.length = 0;
      solveDims(entry, given, named ?? {}, sizes);
      if (!named) for (const { length } of given) lengths.push(length);
    }
    let fits = true;
    for (let i = 0; i < entry.dims.length; i++) {
      const { name } = entry.dims[i]!;
      const max = entry.maxima[name]!;
      const size = (state.arguments[i] = sizes[name]!);
      fits &&= size <= max;
      if (
        size > max &&
        !(i === 0 && entry.rows && entry.outputs.every(({ shape }) => dimOf(shape[0]) === name))
      )
        fail(
          "dims",
          `${name} is ${size}, the maximum is ${max}; load with max: { ${name}: ${size} }`,
          entry.name,
        );
    }
    return fits;
  }

  function outputOf({ name, dtype }: Slot, count: number, into: Outputs | undefined): TypedArray {
    const type = arrayTypeOf(dtype);
    const array = into?.[name];
    if (array && !(array instanceof type && array.length === count))
      fail("input", `into.${name} must be a ${type.name} of ${count}`);
    return array ?? new type(count);
  }

  async function runChunks(
    entry: DeviceEntry,
    state: CallState,
    { into, signal, seed }: CallOptions,
  ): Promise<Outputs> {
    const { name } = entry.dims[0]!;
    const rows = state.sizes[name]!;
    const chunk = entry.maxima[name]!;
    const one = { ...state.sizes, [name]: 1 };
    const result = into ?? {};
    for (const slot of entry.outputs)
      result[slot.name] = outputOf(slot, rows * countOf(slot.shape, one), into);
    for (let from = 0; from < rows; from += chunk) {
      if (signal && from > 0) await new Promise((resolve) => setTimeout(resolve));
      checkSignal(signal, entry.name);
      alive();
      const size = (state.arguments[0] = Math.min(chunk, rows - from));
      entry.inputs.forEach((slot, i) => {
        const width = countOf(slot.shape, one);
        const whole = dimOf(slot.shape[0]) !== name;
        writeInput(
          entry,
          slot,
          state.given[i]!,
          whole ? 0 : from * width,
          slot.view(whole ? width : size * width),
        );
      });
      await execute(entry, state.arguments, { seed, first_row: from });
      for (const slot of entry.outputs) {
        const width = countOf(slot.shape, one);
        result[slot.name]!.set(slot.view(size * width), from * width);
      }
    }
    return result;
  }

  async function start(
    name: string,
    inputs: Inputs | Numbers | undefined,
    options: CallOptions,
  ): Promise<Outputs> {
    const entry = entryOf(name);
    checkSignal(options.signal, name);
    const { seed = 0 } = options;
    if (!Number.isSafeInteger(seed)) fail("input", `seed must be a whole number, not ${seed}`, name);
    let state = states.get(entry);
    if (!state) states.set(entry, (state = { given: [], lengths: [], sizes: {}, arguments: [] }));
    const fits = plan(entry, state, inputs, options.dims);
    const ready = makeReady(entry);
    if (ready) await ready;
    if (!fits) return runChunks(entry, state, options);
    for (let i = 0; i < entry.inputs.length; i++) {
      const slot = entry.inputs[i]!;
      writeInput(entry, slot, state.given[i]!, 0, slot.view(state.given[i]!.length));
    }
    const later = execute(entry, state.arguments, options.seed === undefined ? undefined : { seed });
    if (later) await later;
    const { into } = options;
    const result = into ?? {};
    for (let i = 0; i < entry.outputs.length; i++) {
      const slot = entry.outputs[i]!;
      const view = slot.view(countOf(slot.shape, state.sizes));
      (result[slot.name] = outputOf(slot, view.length, into)).set(view);
    }
    return result;
  }

  /** After the calls before it; at once where none is under way. */
  function inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const before = underWay++ > 0 ? last : undefined;
    const result = (async () => {
      try {
        if (before) await before;
        return await work();
      } finally {
        underWay--;
      }
    })();
    last = result.catch(() => {});
    return result;
  }

  const parametersOf = (optimizer: boolean | undefined): readonly ParameterEntry[] => [
    ...manifest.weights,
    ...manifest.states,
    ...(optimizer ? manifest.optimizer : []),
  ];

  /** who writes into what steps keep */
  let generation = 0;

  function generate(
    prompt: string | readonly number[],
    options: GenerateOptions = {},
  ): ReturnType<Model["generate"]> {
    const own = ++generation;
    const made = manifest.generate;
    const { inputs, outputs } = entryOf("step");
    const input = inputs.find(({ name }) => name === made?.input);
    if (!made || !input || !outputs[0]) return fail("entry", `${manifest.name} does not generate`);
    const step: Step = (tokens, offset) =>
      inTurn(async () => {
        checkSignal(options.signal, "step");
        if (own !== generation) fail("busy", "another text was begun, and one is made at a time", "step");
        control.offset = offset;
        const { out } = await start("step", { [input.name]: tokens }, {});
        return (out as Float32Array).subarray((out!.length / tokens.length) * (tokens.length - 1));
      });
    return generateTokens(made, input, countOf(outputs[0].shape.slice(-1), {}), step, prompt, options);
  }

  const noUpdate = (name: string): never =>
    fail("entry", `each step of ${name} is an update of its own`, name);

  async function runUpdate(
    entry: string,
    signal: AbortSignal | undefined,
  ): Promise<Omit<StepResult, "loss">> {
    const { gradient_norm: norm, status } = await start(
      entry,
      {},
      { ...(signal && { signal }), into: scalars },
    );
    const ok = status?.[0] === 1;
    stale = true;
    if (ok) control.step++;
    return { gradientNorm: norm?.[0] ?? NaN, ok, updated: ok };
  }

  const call: Model["call"] = (entry, inputs, options = {}) => inTurn(() => start(entry, inputs, options));
  const run: Model["run"] = (inputs, options) => call("infer", inputs, options);
  return {
    manifest,
    control,
    call,
    run,
    generate,
    measure: (batch, options) => call("measure", batch, options),
    async predict(inputs, options) {
      const outputs: Record<string, TypedArray | Prediction[]> = { ...(await run(inputs, options)) };
      for (const { name, dtype, classes } of entryOf("infer").outputs)
        if (classes) outputs[name] = predictions(outputs[name] as TypedArray, dtype, classes);
      return outputs;
    },
    step: (batch, options = {}) =>
      inTurn(async () => {
        const { entry = "train", update, signal } = options;
        const after = updateAfter(entry);
        if (update !== undefined && !after) noUpdate(entry);
        Object.assign(control, options.control);
        const outputs = await start(entry, batch, { ...options, into: scalars });
        const { loss, gradient_norm: norm, status, gathered } = outputs;
        const ok = status?.[0] === 1;
        const result = { loss: loss?.[0] ?? NaN, gradientNorm: norm?.[0] ?? NaN, ok, updated: ok && !after };
        const count = gathered?.[0] ?? 0;
        stale ||= !after || manifest.states.length > 0;
        control.iteration++;
        if (result.updated) control.step++;
        if (!after || count === 0 || !(update ?? count >= after.every)) return result;
        const { gradientNorm, updated } = await runUpdate(after.entry, signal);
        return { ...result, gradientNorm, updated };
      }),
    update: ({ entry = "train", control: given, signal } = {}) =>
      inTurn(() => {
        const after = updateAfter(entry) ?? noUpdate(entry);
        Object.assign(control, given);
        return runUpdate(after.entry, signal);
      }),
    init: (seed) =>
      inTurn(async () => {
        const entry = entryOf("init");
        for (const each of parametersOf(true))
          alive().write(each, new Float32Array(lengthOf(each)).fill(each.start ?? 0));
        Object.assign(control, { seed, iteration: 0, step: 1 });
        await execute(entry, []);
        unset.clear();
        stale = true;
      }),
    weights: (options) =>
      new Map(parametersOf(options?.optimizer).map((each) => [each.path, alive().read(each)])),
    setWeights(weights) {
      if (underWay > 0) fail("busy", "weights can be set when no call is under way");
      const { write } = alive();
      const known = new Map(parametersOf(true).map((each) => [each.path, each]));
      for (const [path, { length }] of weights) {
        const each = known.get(path);
        const own = each ? lengthOf(each) : "no";
        if (own !== length) fail("weights", `${path} has ${own} numbers in ${manifest.name}, not ${length}`);
      }
      for (const [path, values] of weights) {
        write(known.get(path)!, values);
        unset.delete(path);
      }
      stale = true;
    },
    destroy() {
      device?.stop?.();
      device = undefined;
      states.clear();
    },
  };
}
