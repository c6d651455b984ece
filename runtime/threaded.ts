/** The runtime with threads: workers that run an artifact in one shared memory. What an app ships of `dlmc compile --threads`. */
import { load as loadAlone, type LoadOptions, type ModelSource } from "./load.ts";
import type { Model } from "./model.ts";
import { canShareMemory, hasRelaxedSimd, maySleep, openWorker, processors, type Source } from "./platform.ts";
import type { StartThreads } from "./wasm-device.ts";

export * from "./index.ts";

/** As a model without threads, and the twin for several; `relaxed`: that one uses relaxed SIMD. */
export type ThreadedSource = Exclude<ModelSource, Source> & {
  readonly threads: Source;
  readonly threadsRelaxed: boolean;
};

export interface ThreadedOptions extends LoadOptions {
  /** how many, the caller included; the processors that there are where absent, and at most what the artifact has room for */
  readonly threads?: number;
}

/** Runs in the worker: instantiates, says so, and stays in the module's own loop. */
const workerCode = `const p=globalThis.process?.getBuiltinModule?.("node:worker_threads")?.parentPort;
const f=async([m,memory,g])=>{const{exports:e}=await WebAssembly.instantiate(m,{env:{memory}});
for(const k in g)e[k].value=g[k];(p??self).postMessage(0);e.work()};
p?p.on("message",f):onmessage=e=>f(e.data)`;

/** Starts `wanted` threads less the caller, at most those that the artifact has scratch for, and waits until they are ready. */
export const startThreads =
  (wanted: number): StartThreads =>
  async ({ module, memory, globals, words, most, set }) => {
    const count = Math.max(1, Math.min(wanted, most));
    const own = { threads: count, thread_words: words };
    const workers = Array.from({ length: count - 1 }, () => openWorker(workerCode));
    const stop = (): void => workers.forEach((worker) => void worker.terminate());
    try {
      await Promise.all(
        workers.map(
          (worker, i) =>
            new Promise<void>((resolve, reject) => {
              const ready = (): void => {
                // its loop does not keep a program alive
                worker.unref?.();
                resolve();
              };
              if (worker.on) {
                worker.on("message", ready);
                worker.on("error", reject);
              } else {
                worker.onmessage = ready;
                worker.onerror = ({ message }) => reject(new Error(message));
              }
              worker.postMessage([module, memory, { ...globals, ...own, thread: i + 1, thread_sleeps: 1 }]);
            }),
        ),
      );
    } catch (error) {
      stop();
      throw error;
    }
    set({ ...own, thread_sleeps: maySleep() ? 1 : 0 });
    return stop;
  };

/**
 * As `load`, with threads where the engine lets them share memory and the page lets workers start, else without. Results
 * have the same bits for every number of threads.
 */
export async function load(source: ThreadedSource, options: ThreadedOptions = {}): Promise<Model> {
  const { threads = processors() } = options;
  if (threads > 1 && canShareMemory() && (!source.threadsRelaxed || hasRelaxedSimd())) {
    let refused = false;
    const start: StartThreads = (shared) =>
      startThreads(threads)(shared).catch((error: unknown) => {
        refused = true;
        throw error;
      });
    try {
      return await loadAlone(source.threads, options, start);
    } catch (error) {
      if (!refused) throw error;
    }
  }
  return loadAlone(source, options);
}
