/** One text checked as a whole program, with what is known of its data. */
import { check } from "../../compiler/check/check.ts";
import { createFlow } from "../../compiler/check/flow/flow.ts";
import type { CheckedFlow } from "../../compiler/check/flow/flow.ts";
import { noFacts } from "../../compiler/check/flow/facts.ts";
import type { Facts } from "../../compiler/check/flow/facts.ts";
import type { FileScope } from "../../compiler/check/names.ts";
import type { Session } from "../../compiler/check/session.ts";
import type { Diagnostic } from "../../grammar/diagnostic.ts";

export interface CheckedText {
  readonly session: Session;
  readonly scope: FileScope;
  readonly flow: CheckedFlow;
  readonly diagnostics: readonly Diagnostic[];
}

export function checkText(text: string, facts: Facts = noFacts, path = "main.dlm"): CheckedText {
  const { hooks, of } = createFlow(facts);
  const read = (wanted: string) => (wanted === path ? { path, text } : undefined);
  const { session, scope, diagnostics } = check({ path, read, hooks });
  if (!scope) throw new Error("the program was not read");
  return { session, scope, flow: of(scope), diagnostics };
}
