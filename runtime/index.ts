/** The runtime: from the files that `dlmc compile` writes to a model that runs. What an app ships. */
export { DlmError, type ErrorCode } from "./error.ts";
export type { CallOptions, Control, Model, Outputs, StepOptions, StepResult } from "./model.ts";
export type { GenerateOptions, Token } from "./generate.ts";
export type { Sample } from "./artifact.ts";
export type { Prediction } from "./predictions.ts";
export type { Inputs, Numbers } from "./inputs.ts";
export type { Source } from "./platform.ts";
export type { TypedArray } from "./wasm-device.ts";
export { load, type LoadOptions, type ModelSource } from "./load.ts";
