/**
 * The whole pipeline on one page: start reading here.
 *
 *   text    grammar/parse.ts        -> syntax tree (never fails)
 *   check   check/check.ts          -> diagnostics and the entry graphs of each model; errors end here
 *   pin     passes/pin-dims.ts      -> free dims made constant, where asked for
 *   passes  passes/pipeline.ts      -> the same graphs, simpler; gradients are in them already
 *   lower   lower/program.ts        -> kernels (what is fused), contractions, the memory plan
 *   wasm    backends/wasm/module.ts -> code, strict and relaxed; or
 *   wgsl    backends/wgsl/module.ts -> compute shaders, for the target webgpu
 *   pack    pack.ts                 -> artifacts, which runtime/ loads
 *
 * This file is the part from graphs on: pure, without files or console. What a user may see on the way (IR after a
 * pass, times, reasons of the fusion, the memory of each entry) is given to the observer or is part of the result.
 */
import { sha256 } from "../runtime/artifact.ts";
import { emitWasm } from "./backends/wasm/module.ts";
import type { WasmModule } from "./backends/wasm/module.ts";
import { emitWgsl } from "./backends/wgsl/module.ts";
import type { WgslProgram } from "./backends/wgsl/module.ts";
import type { Graph } from "./ir/graph.ts";
import type { Program } from "./ir/kernel.ts";
import type { EntryGraph, ModelGraphs } from "./ir/model.ts";
import type { Explained } from "./lower/lower.ts";
import { makeProgram, memoryUse, tooLarge } from "./lower/program.ts";
import type { MemoryUse, TargetName } from "./lower/program.ts";
import type { PlanKind } from "./lower/plan-memory.ts";
import { pack, packGpu } from "./pack.ts";
import { optimize } from "./passes/pipeline.ts";
import * as dim from "./ir/dim.ts";
import { ownSizes } from "./ir/named-dims.ts";
import { pinDims } from "./passes/pin-dims.ts";

export const stages = ["passes", "lower", "wasm", "wgsl", "pack"] as const;
export type Stage = (typeof stages)[number];

export interface Observer {
  /** every entry's graph as the checker made it (pass `check`) and after each pass */
  graph?(entry: string, pass: string, graph: Graph): void;
  /** milliseconds of each stage, and of each pass over an entry */
  time?(name: string, milliseconds: number, entry?: string): void;
}

export interface CompileOptions {
  /** of the compiler, for the manifest */
  readonly version: string;
  /** names of entries; all that the checker made where absent. `fit` is never compiled */
  readonly entries?: readonly string[];
  /** free dims to be made constant */
  readonly pin?: ReadonlyMap<string, number>;
  /** keep-all gives every stored value a place of its own, for debugging */
  readonly plan?: PlanKind;
  /** false: every value is stored by a kernel of its own, for debugging */
  readonly fuse?: boolean;
  /** wasm where absent */
  readonly target?: TargetName;
  /** also the twin with relaxed SIMD; true where absent */
  readonly relaxed?: boolean;
  /** for several threads in one shared memory, and for one */
  readonly threads?: boolean;
  /** keeps names of kernels in the code, for profiles */
  readonly names?: boolean;
  readonly stopAfter?: Stage;
  readonly observer?: Observer;
  /** milliseconds; needed for times alone */
  readonly clock?: () => number;
}

export interface CompiledCode {
  readonly code: WasmModule;
  /** undefined where the pipeline stopped before */
  readonly artifact: Uint8Array | undefined;
}

/** What was made up to the stage at which it stopped. */
export interface Compiled {
  readonly entries: readonly EntryGraph[];
  readonly program?: Program;
  /** why values are stored, by entry */
  readonly explained?: ReadonlyMap<string, readonly Explained[]>;
  /** of each entry, at the default maxima of its dims */
  readonly memory?: readonly MemoryUse[];
  /** the first entry that does not fit into a WebAssembly memory: then there is no code */
  readonly tooLarge?: MemoryUse;
  readonly strict?: CompiledCode;
  readonly relaxed?: CompiledCode;
  /** of the target webgpu, instead of both */
  readonly wgsl?: { readonly code: WgslProgram; readonly artifact: Uint8Array | undefined };
}

/** Throws InternalError for a bug of the compiler; what a user can do wrong, the checker has reported before. */
export async function compileModel(model: ModelGraphs, options: CompileOptions): Promise<Compiled> {
  const { observer, stopAfter = "pack", clock = () => 0, target = "wasm" } = options;
  async function timed<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const start = clock();
    const result = await work();
    observer?.time?.(name, clock() - start);
    return result;
  }

  const wanted = model.entries.filter(
    ({ graph }) => graph.name !== "fit" && (options.entries?.includes(graph.name) ?? true),
  );
  const entries = await timed("passes", () =>
    wanted.map((entry) => {
      const { name } = entry.graph;
      observer?.graph?.(name, "check", entry.graph);
      const pin = options.pin ?? new Map<string, number>();
      const pinned = pinDims(entry.graph, ownSizes(entry.graph.dims, pin));
      let start = clock();
      const graph = optimize(pinned, {
        after(pass, result) {
          observer?.time?.(pass, clock() - start, name);
          observer?.graph?.(name, pass, result);
          start = clock();
        },
      });
      const known = new Map([...pin].map(([dimName, size]) => [dimName, dim.constant(size)]));
      const promises = entry.promises?.map(({ text, size }) => ({ text, size: dim.substitute(size, known) }));
      return { ...entry, graph, ...(promises && { promises }) };
    }),
  );
  if (stopAfter === "passes") return { entries };

  const { program, layout, explained } = await timed("lower", () =>
    makeProgram(
      entries.map(({ graph }) => graph),
      {
        plan: options.plan ?? "tight",
        prepare: true,
        fuse: options.fuse ?? true,
        threads: options.threads ?? false,
        target,
      },
    ),
  );
  const maxima = maximaOf(entries);
  const lowered = { entries, program, explained, memory: memoryUse(program, maxima, layout) };
  const large = tooLarge(program, maxima);
  if (large) return { ...lowered, tooLarge: large };
  if (stopAfter === "lower") return lowered;
  if (target === "webgpu") {
    const code = await timed("wgsl", () => emitWgsl(program, layout));
    if (stopAfter === "wgsl") return { ...lowered, wgsl: { code, artifact: undefined } };
    const { version } = options;
    const artifact = await timed("pack", () => packGpu(program, code, { ...model, entries }, { version }));
    return { ...lowered, wgsl: { code, artifact } };
  }

  const names = options.names ?? false;
  const strict = await timed("wasm", () => emitWasm(program, { relaxed: false, names }));
  const relaxed =
    options.relaxed === false
      ? undefined
      : await timed("wasm relaxed", () => emitWasm(program, { relaxed: true, names }));
  const programHash = (await sha256(strict.bytes)) ?? "";

  const packed = async (code: WasmModule, isRelaxed: boolean): Promise<CompiledCode> => {
    if (stopAfter === "wasm") return { code, artifact: undefined };
    const { version } = options;
    const artifact = await timed("pack", () =>
      pack(program, code, { ...model, entries }, { version, relaxed: isRelaxed, programHash }),
    );
    return { code, artifact };
  };
  return {
    ...lowered,
    strict: await packed(strict, false),
    ...(relaxed && { relaxed: await packed(relaxed, true) }),
  };
}

/** The sizes that memory is planned for where an app says nothing else. */
function maximaOf(entries: readonly EntryGraph[]): (entry: string) => ReadonlyMap<string, number> {
  const byName = new Map(
    entries.map(({ graph, defaults }) => [
      graph.name,
      new Map(graph.dims.map(({ name, max }) => [name, max ?? defaults.get(name) ?? 1])),
    ]),
  );
  return (entry) => byName.get(entry) ?? new Map();
}
