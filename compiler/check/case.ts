/** Names and memory: a capital letter means weights. */
import type { Body, CallableDeclaration, Expression, Stage, Statement } from "../../grammar/ast.ts";
import { caseMatters } from "./diagnostics/dlm0107-case.ts";
import type { FileScope } from "./names.ts";
import { isCapital } from "./lookup.ts";
import type { Session } from "./session.ts";

export function checkCase(session: Session, scope: FileScope, declaration: CallableDeclaration): void {
  const { name, kind } = declaration;
  if (name.text === "") return;
  const capital = isCapital(name.text);
  if ((kind === "module" || kind === "model") && !capital) {
    session.report(undefined, caseMatters, {
      kind: "letter",
      name: name.text,
      span: name.span,
      declared: kind,
      better: camelCase(name.text),
      uses: usesOf(scope, name.text),
    });
    return;
  }
  if (kind === "fn" || kind === "op") {
    const weight = firstWeight(declaration.body) ?? firstModule(declaration.body, scope, session);
    if (weight) session.report(undefined, caseMatters, { kind: "weights", declaration, statement: weight });
    else if (capital)
      session.report(undefined, caseMatters, {
        kind: "letter",
        name: name.text,
        span: name.span,
        declared: kind,
        better: name.text[0]!.toLowerCase() + name.text.slice(1),
        uses: usesOf(scope, name.text),
      });
  }
}

function camelCase(name: string): string {
  return name
    .split("_")
    .map((part) => part.slice(0, 1).toUpperCase() + part.slice(1))
    .join("");
}

/** Every place of the file where the name stands as a word. */
function usesOf(
  scope: FileScope,
  name: string,
): { source: typeof scope.file.span.source; start: number; end: number }[] {
  const { source } = scope.file.span;
  return [...source.text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].map((match) => ({
    source,
    start: match.index,
    end: match.index + name.length,
  }));
}

function firstWeight(body: Body): Statement["span"] | undefined {
  return body.statements.find((statement) => statement.kind === "weight" || statement.kind === "state")?.span;
}

/** A module that a fn uses would need a place for its weights. */
function firstModule(body: Body, scope: FileScope, session: Session): Statement["span"] | undefined {
  let found: Statement["span"] | undefined;
  const isModule = (name: string): boolean =>
    isCapital(name) &&
    (scope.declarations.get(name) ?? session.library.declarations.get(name))?.kind === "module";
  const visitBody = (each: Body): void =>
    each.statements.forEach((statement) => {
      if ("value" in statement) visit(statement.value);
    });
  const visitStage = (stage: Stage): void => {
    if (stage.kind === "value") visit(stage.value);
    else if (stage.kind === "operator") visit(stage.operand);
    else visitBody(stage.body);
  };
  const visit = (expression: Expression): void => {
    if (found) return;
    switch (expression.kind) {
      case "name":
        if (isModule(expression.text)) found = expression.span;
        return;
      case "call":
        visit(expression.callee);
        expression.arguments.forEach((argument) => visit(argument.value));
        return;
      case "pipeline":
        visitStage(expression.head);
        expression.stages.forEach(visitStage);
        return;
      case "binary":
        visit(expression.left);
        visit(expression.right);
        return;
      case "over":
      case "brackets":
        visit(expression.base);
        return;
      case "repeat":
      case "for":
      case "residual":
      case "branch":
      case "recompute":
        visitBody(expression.body);
        return;
      case "if":
        visitBody(expression.then);
        if (expression.else) visitBody(expression.else);
        return;
      default:
    }
  };
  visitBody(body);
  return found;
}
