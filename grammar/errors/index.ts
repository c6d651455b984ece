// The list of all syntax diagnostics, DLM00xx.
import type { DiagnosticKind } from "../diagnostic.ts";
import { missingOperator } from "./missing-operator.ts";
import { missingStage } from "./missing-stage.ts";
import { nestedTooDeeply } from "./nested-too-deeply.ts";
import { newerEdition } from "./newer-edition.ts";
import { noDeclaration } from "./no-declaration.ts";
import { openString } from "./open-string.ts";
import { strayBracket } from "./stray-bracket.ts";
import { unclosedBracket } from "./unclosed-bracket.ts";
import { unexpectedText } from "./unexpected-text.ts";
import { unknownCharacter } from "./unknown-character.ts";

/** What is known about a code without the facts of one place. */
export type DiagnosticEntry = Omit<DiagnosticKind<never>, "build">;

export const syntaxDiagnostics: readonly DiagnosticEntry[] = [
  unclosedBracket,
  missingStage,
  missingOperator,
  newerEdition,
  unexpectedText,
  openString,
  unknownCharacter,
  strayBracket,
  noDeclaration,
  nestedTooDeeply,
];
