/** Weight paths: who bears which segment, and which ordinal an unnamed stage gets. */
import type { Span } from "../../grammar/source.ts";
import { nameTaken } from "./diagnostics/dlm0105-name-taken.ts";
import { pathScope } from "./frame.ts";
import type { Frame, PathScope } from "./frame.ts";
import { snakeCase } from "./names.ts";

interface Word {
  readonly text: string;
  readonly span: Span;
}

/** Takes a segment in a scope; undefined after a message where another has it. */
export function claim(frame: Frame, scope: PathScope, word: Word, identity: object): boolean {
  const old = scope.claims.get(word.text);
  if (old && old.identity !== identity) {
    frame.elaboration.session.report(frame, nameTaken, {
      span: word.span,
      name: word.text,
      first: old.span,
      path: `${scope.prefix}${word.text}`,
    });
    return false;
  }
  scope.claims.set(word.text, { identity, span: word.span });
  return true;
}

/** The scope of a labelled stage. */
export function labelledScope(frame: Frame, label: Word, single: boolean): PathScope | undefined {
  if (!claim(frame, frame.path, label, {})) return undefined;
  return pathScope(`${frame.path.prefix}${label.text}.`, single);
}

/** The scope of a module applied as a stage: its label, the scope that is its alone, or its kind and ordinal. */
export function moduleScope(frame: Frame, module: string, label: Word | undefined): PathScope | undefined {
  if (label) return labelledScope(frame, label, false);
  if (frame.path.single) return pathScope(frame.path.prefix);
  const kind = snakeCase(module);
  const ordinal = frame.path.counters.get(kind) ?? 0;
  frame.path.counters.set(kind, ordinal + 1);
  return pathScope(`${frame.path.prefix}${kind}${ordinal}.`);
}

/** What a scope was, to go back to: passes of a shared block and branches of which one is taken use the same paths. */
export function markPaths(scope: PathScope): () => void {
  const counters = new Map(scope.counters);
  const claims = new Map(scope.claims);
  return () => {
    scope.counters = new Map(counters);
    scope.claims = new Map(claims);
  };
}
