/**
 * The library's public entry: the steps that the command line is made of, for build tools, editors and pages.
 *
 *   parse, format            text -> syntax tree -> canonical text
 *   checkProgram             -> diagnostics and plans; pure, sources come from a function
 *   modelGraphs              -> the entry graphs of a model that checks clean
 *   compileModel             -> artifacts; pure
 *   emitModel, weightsFile   -> files
 *   openWithData, rowsOf     -> a program with the rows that it names
 *   load                     -> a model that runs: what an emitted .js does with the same runtime
 */
export { parse } from "../grammar/parse.ts";
export { format } from "../grammar/format.ts";
export { type JsonDiagnostic, render, renderAll, toJson } from "../grammar/render.ts";
export type { Diagnostic } from "../grammar/diagnostic.ts";
export type { Source, Span } from "../grammar/source.ts";
export { checkProgram, type CheckedProgram } from "../compiler/check/check-program.ts";
export type { Facts } from "../compiler/check/flow/facts.ts";
export {
  type EntryName,
  type GraphRequest,
  modelGraphs,
  unknownSizes,
} from "../compiler/entries/model-graphs.ts";
export {
  type Compiled,
  type CompiledCode,
  compileModel,
  type CompileOptions,
  type Observer,
  type Stage,
  stages,
} from "../compiler/compile.ts";
export type { EntryGraph, ModelGraphs } from "../compiler/ir/model.ts";
export { InternalError } from "../compiler/ir/internal-error.ts";
export { type EmittedFile, emitModel } from "./emit/index.ts";
export { weightsFile } from "./emit/weights.ts";
export { type Dataset, rowsOf } from "./data/dataset.ts";
export { DataError } from "./data/error.ts";
export { FileError } from "./files.ts";
export { openProgram, openWithData, type Program, type ProgramWithData } from "./program.ts";
export { type Manifest, readManifest } from "../runtime/artifact.ts";
export * from "../runtime/index.ts";
export { version } from "./version.ts";
