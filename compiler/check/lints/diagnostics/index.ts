// The list of the lints: warnings, DLM11xx.
import type { DiagnosticKind } from "../../../../grammar/diagnostic.ts";
import { lostBias } from "./dlm1101-lost-bias.ts";
import { unusedBinding } from "./dlm1102-unused-binding.ts";
import { largeDropout } from "./dlm1103-large-dropout.ts";

export const lintDiagnostics: readonly Omit<DiagnosticKind<never>, "build">[] = [
  lostBias,
  unusedBinding,
  largeDropout,
];
