/**
 * What a name means at a place: local bindings and carries; parameters and dims; in models and workflow blocks the file's
 * lets; the file's declarations; what `use` brings; the prelude (builtins and library).
 */
import type { NameExpression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { builtins, words } from "./builtins/index.ts";
import { notVisible } from "./diagnostics/dlm0103-not-visible.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import { evaluate } from "./evaluate.ts";
import { pathScope } from "./frame.ts";
import type { Frame, LocalScope } from "./frame.ts";
import { nearest } from "./names.ts";
import type { FileScope, NamedDeclaration } from "./names.ts";
import { otherName } from "./other-names.ts";
import { emptyScope } from "./session.ts";
import { unknown } from "./values.ts";
import type { CheckValue } from "./values.ts";

export function isCapital(name: string): boolean {
  return /^[A-Z]/.test(name);
}

function localOf(scope: LocalScope | undefined, name: string): CheckValue | undefined {
  for (let each = scope; each; each = each.parent) {
    const found = each.values.get(name);
    if (found) return found;
  }
  return undefined;
}

/** The value, without a message where there is none. */
export function lookup(frame: Frame, name: string, span: Span): CheckValue | undefined {
  const local = localOf(frame.locals, name);
  if (local) return local;
  if (name === "training" || name === "fitting") return { kind: "boolean", value: frame.phase === name };
  if (frame.open && frame.file.lets.has(name)) return letValue(frame, frame.file, name);
  const declared = frame.file.declarations.get(name);
  if (declared) return declarationValue(frame, frame.file, declared, span);
  const used = frame.file.used.get(name);
  if (used) {
    if (used.scope === emptyScope) return unknown;
    const other = used.scope.declarations.get(name);
    if (other) return declarationValue(frame, used.scope, other, span);
    if (frame.open && used.scope.lets.has(name)) return letValue(frame, used.scope, name);
  }
  const builtin = builtins.get(name);
  if (builtin) return { kind: "builtin", builtin, bound: undefined, span, over: undefined };
  const { library } = frame.elaboration.session;
  const standard = library.declarations.get(name);
  if (standard) return declarationValue(frame, library, standard, span);
  return words.has(name) ? { kind: "word", text: name } : undefined;
}

function declarationValue(
  frame: Frame,
  scope: FileScope,
  declaration: NamedDeclaration,
  span: Span,
): CheckValue {
  switch (declaration.kind) {
    case "module":
    case "model":
    case "fn":
    case "op":
      return {
        kind: "callable",
        declaration,
        scope,
        configuration: undefined,
        tensors: [],
        span,
        over: undefined,
      };
    case "optimizer":
      return { kind: "optimizer", declaration, arguments: undefined, span };
    case "data":
      return frame.elaboration.session.dataOf(scope, declaration) ?? unknown;
    default:
      return unknown;
  }
}

/** The value of a file's `let`, evaluated once; unknown inside itself. */
function letValue(frame: Frame, scope: FileScope, name: string): CheckValue {
  const overridden = frame.elaboration.session.lets.get(name);
  if (overridden) return overridden;
  const known = scope.letValues.get(name);
  if (known === "running") {
    const declaration = scope.lets.get(name)!;
    frame.elaboration.session.report(undefined, unknownName, {
      span: declaration.name.span,
      name,
      what: "value",
      where: " yet: it is defined by itself",
      near: [],
    });
    return unknown;
  }
  if (known) return withOwnLabel(known, name);
  const declaration = scope.lets.get(name)!;
  scope.letValues.set(name, "running");
  const value = evaluate(fileFrame(frame, scope), declaration.value);
  scope.letValues.set(name, value);
  return withOwnLabel(value, name);
}

/** A frame that sees a file and nothing else. */
function fileFrame(frame: Frame, scope: FileScope): Frame {
  return {
    ...frame,
    file: scope,
    locals: { values: new Map(), parent: undefined },
    open: true,
    declaration: undefined,
    path: pathScope(""),
    call: undefined,
    piped: undefined,
    packs: new Map(),
    muted: false,
    states: new Map(),
    recording: false,
    changing: false,
    yields: undefined,
  };
}

/** A size written as a capital name labels the axis it makes. */
function withOwnLabel(value: CheckValue, name: string): CheckValue {
  return value.kind === "number" ? { ...value, label: isCapital(name) ? name : undefined } : value;
}

export function evaluateName(frame: Frame, expression: NameExpression): CheckValue {
  const { text: name, span } = expression;
  if (name === "") return unknown;
  if (name === "_" && frame.piped) return frame.piped;
  const found = name === "_" ? undefined : lookup(frame, name, span);
  if (found) return found.kind === "tensor" ? { ...found, span } : withOwnLabel(found, name);
  const { session } = frame.elaboration;
  if (frame.declaration && !frame.open && isLet(frame.file, name)) {
    session.report(frame, notVisible, {
      span,
      name,
      declaration: frame.declaration,
      uses: usesOf(frame.file, frame.declaration.name.text),
    });
    return unknown;
  }
  if (frame.file.sound || name === "_") {
    session.report(frame, unknownName, {
      span,
      name,
      what: isCapital(name) ? "module, model or dim" : "value or function",
      where: name === "_" ? " here: `_` stands for the piped value, inside a stage" : "",
      near: meantBy(frame, name),
    });
  }
  return unknown;
}

function isLet(file: FileScope, name: string): boolean {
  return file.lets.has(name) || (file.used.get(name)?.scope.lets.has(name) ?? false);
}

/** What another framework calls so, else the nearest visible names. */
function meantBy(frame: Frame, name: string): readonly string[] {
  const other = otherName(name, visibleNames(frame));
  return other === undefined ? nearest(name, likely(frame, name)) : [other];
}

/** A name is rarely meant to have another case, `Dens` is no `dense`, unless nothing else is wrong: `Relu`. */
function likely(frame: Frame, name: string): string[] {
  const names = visibleNames(frame);
  const spelt = names.filter((each) => each.toLowerCase() === name.toLowerCase());
  if (spelt.length > 0) return spelt;
  const same = names.filter((each) => isCapital(each) === isCapital(name));
  return nearest(name, same).length > 0 ? same : names;
}

/** Names that could stand where a value is expected. */
function visibleNames(frame: Frame): string[] {
  const names: string[] = [];
  for (let scope: LocalScope | undefined = frame.locals; scope; scope = scope.parent)
    names.push(...scope.values.keys());
  if (frame.open) names.push(...frame.file.lets.keys());
  names.push(...frame.file.declarations.keys(), ...frame.file.used.keys(), ...builtins.keys());
  names.push(...frame.elaboration.session.library.declarations.keys());
  return names;
}

/** Every use of a module in its file: its name, but for the one in its declaration. */
function usesOf(file: FileScope, name: string): Span[] {
  const { source } = file.file.span;
  return [...source.text.matchAll(new RegExp(`\\b${name}\\b`, "g"))].flatMap((match) => {
    const before = source.text.slice(0, match.index).trimEnd();
    const declared = /\b(module|fn|model|op)$/.test(before);
    return declared ? [] : [{ source, start: match.index, end: match.index + name.length }];
  });
}
