/** DLM1102: names that a body binds and nothing reads. By the text of the declaration, so a doubt counts as a use. */
import type { Body, Declaration, Name, Statement } from "../../../grammar/ast.ts";
import type { Span } from "../../../grammar/source.ts";
import { isBroken } from "../names.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import { unusedBinding } from "./diagnostics/dlm1102-unused-binding.ts";

export function checkUnused(session: Session, scope: FileScope): void {
  for (const declaration of scope.file.declarations) {
    if (isBroken(scope, declaration.span)) continue;
    const { source, start, end } = declaration.span;
    const text = source.text.slice(start, end).replace(/\/\/[^\n]*/g, "");
    for (const { name, span } of bindingsOf(declaration)) {
      const mentions = text.match(new RegExp(`\\b${name.text}\\b`, "g"))?.length ?? 0;
      if (mentions > 1) continue;
      session.report(undefined, unusedBinding, {
        name: name.text,
        span: name.span,
        line: wholeLines(span),
      });
    }
  }
}

interface Binding {
  readonly name: Name;
  /** of the whole line */
  readonly span: Span;
}

/** Several names that one value is cut into are left alone: its parts come together. */
function bindingsOf(declaration: Declaration): Binding[] {
  if (declaration.kind === "train")
    return declaration.settings.settings.filter((setting) => setting.kind === "binding");
  if (!("body" in declaration)) return [];
  return boundIn(declaration.body).flatMap(({ names: [name, ...others], span }) =>
    name && others.length === 0 ? [{ name, span }] : [],
  );
}

/** Bindings of a body and of the bodies in it, but for the last statement of each, which may be its value. */
function boundIn(body: Body): Extract<Statement, { kind: "bind" }>[] {
  return body.statements.flatMap((statement, i) => [
    ...(statement.kind === "bind" && i < body.statements.length - 1 ? [statement] : []),
    ...bodiesIn(statement).flatMap(boundIn),
  ]);
}

function bodiesIn(node: unknown): Body[] {
  if (Array.isArray(node)) return node.flatMap(bodiesIn);
  if (typeof node !== "object" || node === null) return [];
  if ("statements" in node) return [node as Body];
  return Object.entries(node).flatMap(([key, value]) => (key === "span" ? [] : bodiesIn(value)));
}

/** The lines of a statement that has them for itself. */
function wholeLines({ source, start, end }: Span): Span | undefined {
  const { text } = source;
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const to = text.indexOf("\n", end);
  const alone = text.slice(from, start).trim() === "" && to >= 0 && text.slice(end, to).trim() === "";
  return alone ? { source, start: from, end: to + 1 } : undefined;
}
