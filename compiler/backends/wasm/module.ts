/** A program as a WebAssembly module: every kernel a function, every entry an exported function that calls them. */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import { flatSteps } from "../../ir/kernel.ts";
import type { Buffer, EntryProgram, Kernel, KernelStep, LoopStep, Program, Step } from "../../ir/kernel.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import { bytesOf } from "../../ir/type.ts";
import { makeCode } from "./code.ts";
import { defineFunction } from "./function-builder.ts";
import type { FunctionBuilder } from "./function-builder.ts";
import type { Code, Expr } from "./code.ts";
import { defineContractionKernel, definePackStep } from "./contraction-kernel.ts";
import { constantBytes } from "../constants.ts";
import type { EntryContext } from "./emitter.ts";
import { largestFunctionBytesOf } from "./measure.ts";
import { defineLoopKernel, isOneCall } from "./loop-kernel.ts";
import { mathLibrary } from "./math.ts";
import { microKernels } from "./micro-kernel.ts";
import { dimSymbols, sizeCode } from "./sizes.ts";
import { defineCalls, defineThreads } from "./threads.ts";
import type { SharedEntry, Threads } from "./threads.ts";

export interface WasmOptions {
  /** uses relaxed SIMD (fused multiply-add); a module with it is refused where it is missing */
  readonly relaxed: boolean;
  /** keeps names of functions, for profiles */
  readonly names?: boolean;
}

export interface WasmEntry {
  readonly name: string;
  /** takes the sizes of the entry's dims as i32, in their order; returns nothing */
  readonly export: string;
  /** exported mutable i32 global per dim: the maximum that memory is planned for, set before the first call */
  readonly globals: Readonly<Record<string, string>>;
}

export interface WasmModule {
  readonly bytes: Uint8Array;
  readonly exports: readonly WasmEntry[];
  readonly largestFunctionBytes: number;
}

const pagesOf = (bytes: number): number => Math.ceil(bytes / 65536);
const mostPages = 65536;

/** Memory is imported as "env" "memory"; constants are written into it when the module is instantiated. */
export async function emitWasm(program: Program, options: WasmOptions): Promise<WasmModule> {
  const { default: binaryen } = await import("binaryen");
  const module = new binaryen.Module();
  try {
    binaryen.setDebugInfo(options.names === true);
    module.setFeatures(
      binaryen.Features.SIMD128 |
        binaryen.Features.BulkMemory |
        binaryen.Features.BulkMemoryOpt |
        binaryen.Features.MutableGlobals |
        binaryen.Features.NontrappingFPToInt |
        binaryen.Features.SignExt |
        (options.relaxed ? binaryen.Features.RelaxedSIMD : 0) |
        (program.threads ? binaryen.Features.Atomics : 0),
    );
    const code = makeCode(binaryen, module, options.relaxed);
    const shared = program.threads !== undefined;
    const initial = pagesOf(program.sharedBytes);
    module.setMemory(initial, mostPages, null, segmentsOf(code, program), shared, false, "0");
    module.addMemoryImport("0", "env", "memory", shared);
    const math = mathLibrary(code);
    const micro = microKernels(code);
    const threads = program.threads && defineThreads(code);
    const scratch = threads && { thread: threads.id, own: program.threads!.own };
    const scratchInLoops = scratch && {
      ...scratch,
      own: new Map([...scratch.own, ...program.threads!.ofLoops]),
    };
    const calls: SharedEntry[] = [];
    const exports = program.entries.map((entry) => {
      const name = identifier(entry.name);
      const globals = entry.dims.map((d) => [d.name, `max_${name}_${identifier(d.name)}`] as const);
      for (const [i, [, global]] of globals.entries()) {
        module.addGlobal(global, binaryen.i32, true, module.i32.const(entry.dims[i]!.max ?? 1));
        module.addGlobalExport(global, global);
      }
      const counters = defineCounters(code, name, entry.steps);
      const context: EntryContext = {
        code,
        math,
        name,
        dims: entry.dims.map((d) => d.name),
        placeOf: (buffer) => placeOf(program, buffer),
        maxima: new Map(globals.map(([d, global]) => [d, code.global(global)])),
        counters: new Map([...counters].map(([axis, global]) => [axis, code.global(global)])),
        threads,
        scratch,
      };
      const body = threads ? `${name}.all` : name;
      calls.push({ name, all: body, sizes: entry.dims.length });
      const alone: EntryContext = { ...context, threads: undefined };
      const inLoops: EntryContext = { ...alone, scratch: scratchInLoops };
      defineEntry(context, entry, body, counters, (kernel, kernelName, divided) => {
        const own = !divided ? inLoops : runsAlone(kernel) ? alone : context;
        if (kernel.contraction === undefined) defineLoopKernel(own, kernel, kernelName);
        else defineContractionKernel(own, kernel, kernelName, micro);
      });
      module.addFunctionExport(name, name);
      return { name: entry.name, export: name, globals: Object.fromEntries(globals) };
    });
    if (threads) defineCalls(code, threads, calls);
    micro.define();
    math.define();
    if (!module.validate()) throw new InternalError("wasm", "the module does not validate", undefined);
    const bytes = module.emitBinary();
    return { bytes, exports, largestFunctionBytes: largestFunctionBytesOf(bytes) };
  } finally {
    module.dispose();
  }
}

/** A name as an export: other characters than letters, digits and _ become _. */
function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, "_");
}

function placeOf(program: Program, buffer: Buffer): Dim {
  const place = program.places.get(buffer);
  if (place === undefined) throw new InternalError("wasm", `buffer ${buffer.name} has no place`, undefined);
  return place;
}

/** Constants, at their constant offsets in the shared region. */
function segmentsOf(code: Code, program: Program): { offset: number; data: Uint8Array }[] {
  return [...program.places].flatMap(([buffer, place]) => {
    if (buffer.kind.kind !== "constant") return [];
    const offset = dim.constantOf(place);
    if (offset === undefined)
      throw new InternalError("wasm", `constant ${buffer.name} has no constant place`, undefined);
    const data = constantBytes(buffer.dtype, buffer.kind.value);
    if (data.every((byte) => byte === 0)) return [];
    return [{ offset: code.module.i32.const(offset), data }];
  });
}

/** A global for the position of each loop of an entry, those inside others after these. */
function defineCounters(code: Code, entry: string, steps: readonly Step[]): ReadonlyMap<LoopAxis, string> {
  const names = new Map<LoopAxis, string>();
  const walk = (inside: readonly Step[]): void => {
    for (const step of inside) {
      if (step.kind !== "loop") continue;
      const name = `step_${entry}_${names.size}`;
      code.module.addGlobal(name, code.binaryen.i32, true, code.module.i32.const(0));
      names.set(step.counter, name);
      walk(step.steps);
    }
  };
  walk(steps);
  return names;
}

function defineEntry(
  context: EntryContext,
  entry: EntryProgram,
  name: string,
  counters: ReadonlyMap<LoopAxis, string>,
  /** `divided`: among threads, else each runs all of it */
  defineKernel: (kernel: Kernel, name: string, divided: boolean) => void,
): void {
  const { code, threads } = context;
  let count = 0;
  // functions are defined before the one that calls them is written
  const defineAll = (steps: readonly KernelStep[], divided: boolean): ReadonlyMap<Step, string> => {
    const names = new Map<Kernel, string>();
    const define = (step: KernelStep): string => {
      const old = step.kind === "kernel" ? names.get(step.kernel) : undefined;
      if (old !== undefined) return old;
      const kernelName = `${context.name}.${count++}.${identifier(step.kernel.name)}`;
      if (step.kind === "pack") definePackStep(context, step.kernel, kernelName);
      else {
        defineKernel(step.kernel, kernelName, divided);
        names.set(step.kernel, kernelName);
      }
      return kernelName;
    };
    return new Map(steps.map((step) => [step, define(step)]));
  };
  const calls = defineAll(flatSteps(entry.steps), true);
  const wholeCalls = threads ? defineAll(independentSteps(entry.steps), false) : calls;
  const parameters = context.dims.map(() => "i32" as const);
  defineFunction(code, name, parameters, undefined, (fn) => {
    const order = threads && makeOrder(fn, threads);
    const loop = (step: LoopStep, from: Expr, to: Expr, body: () => void): void =>
      fn.count(from, to, 1, (i) => {
        fn.setGlobal(counters.get(step.counter)!, i);
        body();
      });
    const call = (steps: readonly Step[]): void => {
      for (const step of steps) {
        if (step.kind !== "loop") {
          const run = (): void => fn.call(calls.get(step)!, fn.parameters);
          if (order) order.run(step, run);
          else run();
          continue;
        }
        const size = fn.keep(sizeCode(code, step.counter.size, dimSymbols(context.dims, fn.parameters)));
        order?.together();
        const inOrder = (): void =>
          loop(step, code.int(0), size, () => {
            call(step.steps);
            order?.together();
          });
        if (threads === undefined || step.own === undefined) inOrder();
        else {
          fn.when(
            code.op("i32.le_s", threads.count, size),
            () => {
              const { from, to } = threads.share(fn, size);
              loop(step, from, to, () => {
                for (const each of flatSteps(step.steps)) fn.call(wholeCalls.get(each)!, fn.parameters);
              });
              threads.wait(fn);
            },
            inOrder,
          );
        }
      }
    };
    call(entry.steps);
    order?.together();
    const symbols = dimSymbols(context.dims, fn.parameters);
    const address = (buffer: Buffer): Expr => sizeCode(code, context.placeOf(buffer), context.maxima);
    const copyAll = (): void => {
      for (const { from, to } of entry.copies) {
        const elements = dim.product(from.shape);
        const bytes = sizeCode(code, dim.multiply(elements, dim.constant(bytesOf[from.dtype])), symbols);
        fn.copy(address(to), address(from), bytes);
      }
    };
    if (threads === undefined) copyAll();
    else if (entry.copies.length > 0) threads.first(fn, copyAll);
    return undefined;
  });
}

/** The steps of loops whose positions are divided among threads. */
function independentSteps(steps: readonly Step[]): readonly KernelStep[] {
  return steps.flatMap((step) => {
    if (step.kind !== "loop") return [];
    return step.own ? flatSteps(step.steps) : independentSteps(step.steps);
  });
}

/** Steps in their order on several threads: small ones on the first alone, and waiting where one reads what others wrote. */
function makeOrder(
  fn: FunctionBuilder,
  threads: Threads,
): { run(step: KernelStep, call: () => void): void; together(): void } {
  let written: "nothing" | "by the first" | "by all" = "nothing";
  const together = (): void => {
    if (written !== "nothing") threads.wait(fn);
    written = "nothing";
  };
  return {
    together,
    run(step, call) {
      const alone = step.kind === "pack" || runsAlone(step.kernel);
      if (!alone || written === "by all") together();
      if (alone) threads.first(fn, call);
      else call();
      written = alone ? "by the first" : "by all";
    },
  };
}

/** products of a contraction that one thread is through with before others are called */
const fewProducts = 4096;

/** Whether the first thread does all of it. */
function runsAlone(kernel: Kernel): boolean {
  if (kernel.contraction === undefined) return isOneCall(kernel);
  const products = dim.constantOf(
    dim.product([...kernel.grid, ...kernel.contraction.inner].map((axis) => axis.size)),
  );
  return products !== undefined && products <= fewProducts;
}
