/**
 * The meaning of kernels, run on the host: each kernel becomes a JavaScript function over f64 arrays. Written
 * independently of any backend; contractions are run as the plain sums that their stages say.
 */
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import type { Buffer, EntryProgram, Kernel, Stage, Step } from "../ir/kernel.ts";
import type { Affine, LoopAxis, Scalar } from "../ir/scalar.ts";
import { elementCount } from "../ir/tensor.ts";
import { helpers, scalarTexts } from "./scalar-functions.ts";

export interface ExecuteOptions {
  /** rounds every float to f32 after each instruction and each addition of a sum */
  readonly f32?: boolean;
  /** throws InternalError at a load or store outside its buffer */
  readonly check?: boolean;
}

export type Sizes = ReadonlyMap<string, number>;

/** An array for each buffer that kernels name; made where it is missing. */
export interface Memory {
  of(buffer: Buffer): Float64Array;
}

/** Every buffer has an array of its own; constants are filled. */
export function separateMemory(sizes: Sizes, given: ReadonlyMap<Buffer, Float64Array> = new Map()): Memory {
  const arrays = new Map(given);
  return {
    of(buffer) {
      let array = arrays.get(buffer);
      if (array === undefined) {
        array =
          buffer.kind.kind === "constant"
            ? buffer.kind.value.data
            : new Float64Array(elementCount(buffer.shape.map((size) => dim.evaluate(size, sizes))));
        arrays.set(buffer, array);
      }
      return array;
    },
  };
}

/** Runs all kernels and copies of an entry. Panels are not filled: `pack` steps do nothing here. */
export function executeEntry(
  entry: EntryProgram,
  sizes: Sizes,
  memory: Memory,
  options: ExecuteOptions = {},
): void {
  executeSteps(entry.steps, sizes, memory, options, new Map());
  const olds = entry.copies.map(({ from }) => memory.of(from).slice());
  entry.copies.forEach(({ to }, i) => memory.of(to).set(olds[i]!));
}

/** Positions of the loops around kernels. */
type Counters = ReadonlyMap<LoopAxis, number>;

function executeSteps(
  steps: readonly Step[],
  sizes: Sizes,
  memory: Memory,
  options: ExecuteOptions,
  counters: Counters,
): void {
  for (const step of steps) {
    if (step.kind === "kernel") executeKernel(step.kernel, sizes, memory, options, counters);
    if (step.kind !== "loop") continue;
    const count = dim.evaluate(step.counter.size, sizes);
    for (let i = 0; i < count; i++)
      executeSteps(step.steps, sizes, memory, options, new Map([...counters, [step.counter, i]]));
  }
}

function executeKernel(
  kernel: Kernel,
  sizes: Sizes,
  memory: Memory,
  options: ExecuteOptions,
  counters: Counters,
): void {
  const { text, buffers } = kernelText(kernel, sizes, options, counters);
  const fail = (what: string, at: number): never => {
    throw new InternalError("execute", `kernel ${kernel.name}: ${what} at ${at} is outside`, text);
  };
  const nothing = (combine: string): never => {
    throw new InternalError("execute", `kernel ${kernel.name}: there is no ${combine} of nothing`, text);
  };
  const run = new Function("buffers", "helpers", "fail", "nothing", text) as (
    arrays: readonly Float64Array[],
    functions: typeof helpers,
    failure: typeof fail,
    refusal: typeof nothing,
  ) => void;
  run(
    buffers.map((buffer) => memory.of(buffer)),
    helpers,
    fail,
    nothing,
  );
}

/** The function's body, and the buffers that it takes, in order. */
function kernelText(
  kernel: Kernel,
  sizes: Sizes,
  options: ExecuteOptions,
  counters: Counters,
): { readonly text: string; readonly buffers: readonly Buffer[] } {
  const buffers: Buffer[] = [];
  const axisNames = new Map<LoopAxis, string>();
  const results = new Map<Stage, string>();
  const lines: string[] = [];
  let depth = 0;
  let fresh = 0;
  const write = (line: string): void => void lines.push("  ".repeat(depth) + line);
  const number = (size: Dim): number => dim.evaluate(size, sizes);
  const count = (shape: readonly Dim[]): number => elementCount(shape.map(number));

  const bufferName = (buffer: Buffer): string => {
    if (!buffers.includes(buffer)) buffers.push(buffer);
    return `b${buffers.indexOf(buffer)}`;
  };
  const axisName = (axis: LoopAxis): string => {
    const name = axisNames.get(axis) ?? counters.get(axis)?.toString();
    if (name === undefined)
      throw new InternalError("execute", `kernel ${kernel.name}: ${axis.name} is no loop here`, undefined);
    return name;
  };
  const affine = (a: Affine): string =>
    [
      ...(a.terms.length > 0 && dim.equal(a.constant, dim.zero) ? [] : [`${number(a.constant)}`]),
      ...a.terms.map(({ axis, coefficient }) => `${number(coefficient)} * ${axisName(axis)}`),
    ].join(" + ");
  /** row-major number of an index */
  const flat = (index: readonly string[], shape: readonly Dim[]): string =>
    index.length === 0 ? "0" : index.map((text, k) => `(${text}) * ${count(shape.slice(k + 1))}`).join(" + ");
  const open = (axes: readonly LoopAxis[]): void => {
    for (const axis of axes) {
      const name = `i${fresh++}`;
      axisNames.set(axis, name);
      write(`for (let ${name} = 0; ${name} < ${number(axis.size)}; ${name}++) {`);
      depth++;
    }
  };
  const close = (axes: readonly LoopAxis[]): void => {
    for (const axis of axes.toReversed()) {
      depth--;
      write("}");
      axisNames.delete(axis);
    }
  };

  /** Statements for a scalar; answers with a name or a number. */
  const code = (root: Scalar): string => {
    const known = new Map<Scalar, string>();
    const go = (s: Scalar): string => {
      const old = known.get(s);
      if (old !== undefined) return old;
      const text = textOf(s);
      const name = `v${fresh++}`;
      write(`const ${name} = ${options.f32 && s.type === "f32" ? `Math.fround(${text})` : text};`);
      known.set(s, name);
      return name;
    };
    const textOf = (s: Scalar): string => {
      switch (s.kind) {
        case "constant":
          return Object.is(s.value, -0) ? "-0" : s.value < 0 ? `(${s.value})` : `${s.value}`;
        case "index":
          return `(${affine(s.index)}) | 0`;
        case "size":
          return `${number(s.size)}`;
        case "inside":
          return insideText(s.index.map(affine), s.shape);
        case "load": {
          const index = s.index.map((i, k) =>
            i.kind === "affine"
              ? affine(i.affine)
              : `Math.min(Math.max(${go(i.value)}, 0), ${number(s.shape[k]!) - 1})`,
          );
          const at = `${bufferName(s.buffer)}[${flat(index, s.shape)}]`;
          const unguarded = index.flatMap((_, k) => (s.guarded.includes(k) ? [] : [k]));
          const guard = insideText(
            s.guarded.map((k) => index[k]!),
            s.guarded.map((k) => s.shape[k]!),
          );
          if (options.check) {
            const rest = insideText(
              unguarded.map((k) => index[k]!),
              unguarded.map((k) => s.shape[k]!),
            );
            const whole = s.guarded.length > 0 ? `(${guard}) && !(${rest})` : `!(${rest})`;
            write(
              `if (${whole}) fail(${JSON.stringify(`a load of ${s.buffer.name}`)}, ${flat(index, s.shape)});`,
            );
          }
          return s.guarded.length > 0 ? `((${guard}) ? ${at} : 0)` : at;
        }
        case "result": {
          const name = results.get(s.stage);
          if (name === undefined)
            throw new InternalError(
              "execute",
              `kernel ${kernel.name} reads a stage that comes later`,
              undefined,
            );
          return s.stage.place.kind === "tile"
            ? `${name}[${flat(
                s.index.map(affine),
                s.stage.axes.map((a) => a.size),
              )}]`
            : name;
        }
        case "apply": {
          const [a, b, c] = s.operands.map(go);
          return scalarTexts[s.instruction](a ?? "", b ?? "", c ?? "");
        }
      }
    };
    return go(root);
  };
  const insideText = (index: readonly string[], shape: readonly Dim[]): string =>
    index.length === 0
      ? "1"
      : `(${index.map((text, k) => `(${text}) >= 0 && (${text}) < ${number(shape[k]!)}`).join(" && ")}) ? 1 : 0`;

  const stage = (s: Stage): void => {
    open(s.axes);
    const { combine, over, place } = s;
    let result: string;
    if (combine === undefined) result = code(s.value);
    else {
      const sum = `s${fresh++}`;
      const position = `p${fresh++}`;
      const at = `n${fresh++}`;
      write(`let ${sum} = 0, ${position} = 0, ${at} = 0;`);
      open(over);
      const value = code(s.value);
      const round = (text: string): string =>
        options.f32 && s.value.type === "f32" ? `Math.fround(${text})` : text;
      if (combine === "sum") write(`${sum} = ${round(`${sum} + ${value}`)};`);
      else {
        const sign = combine === "max" || combine === "argmax" ? ">" : "<";
        const better =
          combine === "max" || combine === "min"
            ? `${value} !== ${value} || ${value} ${sign} ${sum}`
            : `${value} ${sign} ${sum}`;
        write(`if (${at} === 0 || ${better}) { ${sum} = ${value}; ${position} = ${at}; }`);
        write(`${at}++;`);
      }
      close(over);
      if (combine !== "sum") write(`if (${at} === 0) nothing(${JSON.stringify(combine)});`);
      result = combine === "argmax" || combine === "argmin" ? position : sum;
    }
    if (place.kind === "store") {
      const index = place.index.map(affine);
      const at = flat(index, place.shape);
      if (options.check) write(`if (!(${insideText(index, place.shape)})) fail("a store", ${at});`);
      write(`${bufferName(place.buffer)}[${at}] = ${result};`);
    } else if (place.kind === "tile") {
      write(
        `t${results.size}[${flat(
          s.axes.map(axisName),
          s.axes.map((a) => a.size),
        )}] = ${result};`,
      );
    } else {
      write(`r${results.size} = ${result};`);
    }
    close(s.axes);
  };

  open(kernel.grid);
  for (const s of kernel.stages) {
    if (s.place.kind === "tile") write(`const t${results.size} = scratch${results.size};`);
    if (s.place.kind === "register") write(`let r${results.size};`);
    stage(s);
    results.set(
      s,
      `${s.place.kind === "tile" ? "t" : s.place.kind === "register" ? "r" : "x"}${results.size}`,
    );
  }
  close(kernel.grid);
  const tiles = kernel.stages.flatMap((s, n) =>
    s.place.kind === "tile"
      ? [`const scratch${n} = new Float64Array(${count(s.axes.map((a) => a.size))});`]
      : [],
  );
  const head = buffers.map((_, n) => `const b${n} = buffers[${n}];`);
  return { text: ['"use strict";', ...head, ...tiles, ...lines].join("\n"), buffers };
}
