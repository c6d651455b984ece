/** runtime/index.ts and runtime/threaded.ts, each as one minified ES module without imports, for embedding. Made by .config/generate.mjs. */
export { runtimeText, threadedRuntimeText } from "#generated/runtime";
