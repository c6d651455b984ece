/** runtime/index.ts, threaded.ts and webgpu.ts, each as one minified ES module without imports, for embedding. Made by .config/generate.mjs. */
export { gpuRuntimeText, runtimeText, threadedRuntimeText } from "#generated/runtime";
