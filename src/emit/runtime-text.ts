/** runtime/index.ts as one minified ES module without imports, for embedding. Made by .config/generate.mjs. */
export { runtimeText } from "#generated/runtime";
