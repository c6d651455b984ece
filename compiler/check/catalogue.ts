/** Every diagnostic of the language, by code: for `dlmc explain` and for the tests that hold each to its example. */
import type { DiagnosticKind } from "../../grammar/diagnostic.ts";
import { syntaxDiagnostics } from "../../grammar/errors/index.ts";
import { checkDiagnostics } from "./diagnostics/index.ts";
import { lintDiagnostics } from "./lints/diagnostics/index.ts";
import { flowDiagnostics } from "./flow/diagnostics/index.ts";

export type CatalogueEntry = Omit<DiagnosticKind<never>, "build">;

export const catalogue: readonly CatalogueEntry[] = [
  ...syntaxDiagnostics,
  ...checkDiagnostics,
  ...flowDiagnostics,
  ...lintDiagnostics,
].sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0));
