/** A module on its own: against its signature, with sizes that are symbols. Mistakes found here belong to its author. */
import type { CallableDeclaration } from "../../grammar/ast.ts";
import { checkCase } from "./case.ts";
import { elaborate } from "./elaborate.ts";
import type { Phase } from "./frame.ts";
import { isBroken } from "./names.ts";
import type { FileScope } from "./names.ts";
import { isUserSpan } from "./origin.ts";
import type { Session } from "./session.ts";

/** Checks once; library code is checked by the tests of this repository. */
export function checkAlone(
  session: Session,
  scope: FileScope,
  declaration: CallableDeclaration,
): "running" | "sound" | "failed" {
  if (!isUserSpan(scope.file.span) || scope === session.library) return "sound";
  const known = session.alone.get(declaration);
  if (known) return known;
  if (isBroken(scope, declaration.span)) {
    session.alone.set(declaration, "failed");
    return "failed";
  }
  session.alone.set(declaration, "running");
  const before = session.errors();
  checkCase(session, scope, declaration);
  if (session.errors() === before)
    for (const phase of phasesOf(declaration)) {
      elaborate(session, scope, declaration, {
        phase,
        alone: declaration.kind !== "model",
        checking: true,
      });
      if (session.errors() > before) break;
    }
  const result = session.errors() > before ? "failed" : "sound";
  session.alone.set(declaration, result);
  return result;
}

/** Every phase in which the body may read differently; a body that asks for no phase is the same in all. */
function phasesOf(declaration: CallableDeclaration): readonly Phase[] {
  const { source, start, end } = declaration.body.span;
  const text = source.text.slice(start, end);
  if (declaration.kind === "model") return ["inference", "training"];
  const phases: Phase[] = ["inference"];
  if (/\btraining\b/.test(text)) phases.push("training");
  if (/\bfitting\b/.test(text)) phases.push("fitting");
  return phases;
}
