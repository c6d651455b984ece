/**
 * Code against kernels, one by one: each kernel of an entry is run in interval arithmetic on the numbers that the code
 * really had before it, and every number that it stored must lie within the bounds. Needs the plan `keep-all`.
 */
import * as dim from "../../compiler/ir/dim.ts";
import type { Dim } from "../../compiler/ir/dim.ts";
import type { Buffer, EntryProgram, Kernel, Stage, Step } from "../../compiler/ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../../compiler/ir/scalar.ts";
import { elementCount } from "../../compiler/ir/tensor.ts";
import {
  anything,
  contains,
  hull,
  isPoint,
  no,
  point,
  onWasm,
  rulesOf,
  squared,
  sumOf,
  type Accuracy,
  type Interval,
} from "./intervals.ts";

type Sizes = ReadonlyMap<string, number>;

/** Numbers of a buffer as the code sees them. */
export type Contents = (buffer: Buffer) => Float64Array;

/** Called for every element that is stored. */
type Store = (buffer: Buffer, at: number, value: Interval) => void;

/** What the kernel may store. Values of a buffer that it reads are those before it. */
function runBounded(
  kernel: Kernel,
  sizes: Sizes,
  before: Contents,
  store: Store,
  counters: ReadonlyMap<LoopAxis, number>,
  rules: ReturnType<typeof rulesOf>,
): void {
  const positions = new Map<LoopAxis, number>(counters);
  const results = new Map<Stage, Interval | Interval[]>();
  const known = new Map<Dim, number>();
  const size = (d: Dim): number => {
    let found = known.get(d);
    if (found === undefined) known.set(d, (found = dim.evaluate(d, sizes)));
    return found;
  };
  const place = (affine: Affine): number =>
    affine.terms.reduce(
      (sum, { axis, coefficient }) => sum + size(coefficient) * positions.get(axis)!,
      size(affine.constant),
    );
  const flat = (index: readonly number[], shape: readonly Dim[]): number =>
    index.reduce((at, i, axis) => at * size(shape[axis]!) + i, 0);
  const each = (axes: readonly LoopAxis[], body: () => void): void => {
    const [axis, ...rest] = axes;
    if (!axis) return body();
    for (let i = 0; i < size(axis.size); i++) {
      positions.set(axis, i);
      each(rest, body);
    }
  };

  const done = new Map<Scalar, Interval>();
  const evaluate = (s: Scalar): Interval => {
    let found = done.get(s);
    if (found === undefined) done.set(s, (found = compute(s)));
    return found;
  };
  const fresh = (s: Scalar): Interval => {
    done.clear();
    return evaluate(s);
  };
  const compute = (s: Scalar): Interval => {
    switch (s.kind) {
      case "constant":
        return point(s.type === "f32" ? Math.fround(s.value) : s.value);
      case "index":
        return point(place(s.index));
      case "size":
        return point(size(s.size));
      case "inside":
        return point(isInside(s.index.map(place), s.shape) ? 1 : 0);
      case "load": {
        const index = s.index.map((i, axis) => {
          if (i.kind === "affine") return place(i.affine);
          const value = evaluate(i.value);
          if (!isPoint(value)) throw new Error(`kernel ${kernel.name}: an index depends on rounding`);
          return Math.min(Math.max(value[0], 0), size(s.shape[axis]!) - 1);
        });
        const guarded = isInside(
          s.guarded.map((axis) => index[axis]!),
          s.guarded.map((axis) => s.shape[axis]!),
        );
        if (!guarded) return point(0);
        const value = before(s.buffer)[flat(index, s.shape)];
        if (value === undefined) throw new Error(`kernel ${kernel.name} reads outside of ${s.buffer.name}`);
        return Number.isNaN(value) ? anything : point(value);
      }
      case "result": {
        const found = results.get(s.stage)!;
        if (!isTile(s.stage)) return found as Interval;
        const shape = s.stage.axes.map((axis) => axis.size);
        return (found as Interval[])[flat(s.index.map(place), shape)]!;
      }
      case "apply": {
        const [a, b, c] = s.operands;
        if (s.instruction === "mul" && a === b) return squared(evaluate(a!));
        return rules[s.instruction](evaluate(a!), b ? evaluate(b) : no, c ? evaluate(c) : no);
      }
    }
  };
  const isInside = (index: readonly number[], shape: readonly Dim[]): boolean =>
    index.every((i, axis) => i >= 0 && i < size(shape[axis]!));
  const isTile = (stage: Stage): boolean => stage.place.kind === "tile";

  const combined = ({ combine, over, value }: Stage): Interval => {
    if (combine === undefined) return fresh(value);
    const terms: Interval[] = [];
    each(over, () => void terms.push(fresh(value)));
    if (combine === "sum") return sumOf(terms);
    const most = combine === "max" || combine === "argmax";
    const best = terms.reduce((x, y) => rules[most ? "max" : "min"](x, y, x));
    if (combine === "max" || combine === "min") return best;
    // every position whose value may be the best one
    return terms
      .flatMap((term, at) => ((most ? term[1] >= best[0] : term[0] <= best[1]) ? [point(at)] : []))
      .reduce(hull);
  };

  each(kernel.grid, () => {
    for (const stage of kernel.stages) {
      const tile: Interval[] = [];
      each(stage.axes, () => {
        const value = combined(stage);
        const { place: to } = stage;
        if (to.kind === "tile") tile.push(value);
        else if (to.kind === "register") results.set(stage, value);
        else store(to.buffer, flat(to.index.map(place), to.shape), value);
      });
      if (isTile(stage)) results.set(stage, tile);
    }
  });
}

/** What a run of an entry left in memory, and what it was given. */
export interface Ran {
  readonly entry: EntryProgram;
  readonly sizes: Sizes;
  /** by input */
  given(name: string): Float64Array;
  /** after the run */
  after: Contents;
}

/** All kernels in the order in which they run, those of loops once for each step. */
function eachKernel(
  steps: readonly Step[],
  sizes: Sizes,
  counters: ReadonlyMap<LoopAxis, number>,
  body: (kernel: Kernel, counters: ReadonlyMap<LoopAxis, number>) => void,
): void {
  for (const step of steps) {
    if (step.kind === "kernel") body(step.kernel, counters);
    if (step.kind !== "loop") continue;
    const count = dim.evaluate(step.counter.size, sizes);
    for (let i = 0; i < count; i++)
      eachKernel(step.steps, sizes, new Map([...counters, [step.counter, i]]), body);
  }
}

/** Stored numbers outside of their bounds, one line each, at most one a kernel. Empty where the code keeps them all. */
export function outOfBounds({ entry, sizes, given, after }: Ran, accuracy: Accuracy = onWasm): string[] {
  const rules = rulesOf(accuracy);
  const now = new Map<Buffer, Float64Array>();
  for (const { name, buffer } of entry.inputs) now.set(buffer, given(name).slice());
  const contents: Contents = (buffer) => {
    let found = now.get(buffer);
    if (!found) {
      const { kind } = buffer;
      found =
        kind.kind === "constant"
          ? kind.value.data.map((x) => (buffer.dtype === "f32" ? Math.fround(x) : x))
          : new Float64Array(elementCount(buffer.shape.map((s) => dim.evaluate(s, sizes))));
      now.set(buffer, found);
    }
    return found;
  };
  const found: string[] = [];
  eachKernel(entry.steps, sizes, new Map(), (kernel, counters) => {
    const stored: [Buffer, number, number][] = [];
    let wrong: string | undefined;
    runBounded(
      kernel,
      sizes,
      contents,
      (buffer, at, bounds) => {
        const got = after(buffer)[at]!;
        stored.push([buffer, at, got]);
        if (Number.isNaN(bounds[0])) wrong ??= `kernel ${kernel.name}: ${buffer.name}[${at}] has no bound`;
        else if (!contains(bounds, got))
          wrong ??= `kernel ${kernel.name}: ${buffer.name}[${at}] is ${got}, not within ${bounds.join(" and ")}`;
      },
      counters,
      rules,
    );
    if (wrong !== undefined) found.push(wrong);
    for (const [buffer, at, value] of stored) contents(buffer)[at] = value;
  });
  const moved = entry.copies.map(({ from }) => contents(from).slice());
  entry.copies.forEach(({ from, to }, i) => {
    const got = after(to);
    const at = moved[i]!.findIndex((x, k) => !Object.is(x, got[k]));
    if (at >= 0)
      found.push(`the copy of ${from.name} to ${to.name}: [${at}] is ${got[at]}, not ${moved[i]![at]}`);
  });
  return found;
}
