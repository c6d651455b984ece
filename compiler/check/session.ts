/** One run of the checker over a program: its files, the library, what has been found so far. */
import { report as makeDiagnostic } from "../../grammar/diagnostic.ts";
import type { Diagnostic, DiagnosticKind } from "../../grammar/diagnostic.ts";
import type { CallableDeclaration, DataDeclaration, UseDeclaration } from "../../grammar/ast.ts";
import { parse } from "../../grammar/parse.ts";
import type { Source } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import { importCycle } from "./diagnostics/dlm0108-import-cycle.ts";
import { missingFile } from "./diagnostics/dlm0113-missing-file.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import type { Frame } from "./frame.ts";
import { userSpan } from "./frame.ts";
import { fileScope, nearest } from "./names.ts";
import type { FileScope } from "./names.ts";
import { isUserSpan } from "./origin.ts";
import { hasPart, libraryScope } from "./prelude.ts";
import type { CheckValue, DataValue } from "./values.ts";

/** What the checker of data and workflow blocks adds; called back so that neither imports the other. */
export interface Hooks {
  /** what a data declaration makes known: columns and late dims */
  data(session: Session, scope: FileScope, declaration: DataDeclaration): DataValue | undefined;
  /** checks the workflow blocks of a file, after its modules and models */
  file?(session: Session, scope: FileScope): void;
}

export interface Session {
  /** reads a source by path, as `use` resolves it; undefined where there is none */
  readonly read: (path: string) => Source | undefined;
  readonly hooks: Hooks;
  readonly files: ReadonlyMap<string, FileScope>;
  readonly library: FileScope;
  readonly diagnostics: Diagnostic[];
  /** Adds a diagnostic, once. */
  add(diagnostic: Diagnostic): void;
  /** Builds and adds one, placed in the user's text, unless the frame is muted. */
  report<Facts>(frame: Frame | undefined, kind: DiagnosticKind<Facts>, facts: Facts): void;
  load(path: string): FileScope | undefined;
  dataOf(scope: FileScope, declaration: DataDeclaration): DataValue | undefined;
  /** how the check of a module alone went */
  readonly alone: Map<CallableDeclaration, "running" | "sound" | "failed">;
  /** values that stand for lets of the same name: what a search tries */
  readonly lets: ReadonlyMap<string, CheckValue>;
  /** number of errors so far */
  errors(): number;
}

export function createSession(
  read: (path: string) => Source | undefined,
  hooks: Hooks,
  lets: ReadonlyMap<string, CheckValue> = new Map(),
  packageFile: (name: string, from: string) => string | undefined = () => undefined,
): Session {
  const files = new Map<string, FileScope>();
  const diagnostics: Diagnostic[] = [];
  const keys = new Set<string>();
  const loading: { readonly path: string; readonly use: UseDeclaration }[] = [];
  const data = new Map<DataDeclaration, DataValue | undefined>();
  let errors = 0;

  const session: Session = {
    read,
    hooks,
    files,
    library: libraryScope(),
    diagnostics,
    alone: new Map(),
    lets,
    errors: () => errors,
    add(diagnostic) {
      const { span } = diagnostic.primary;
      const key = `${diagnostic.code} ${span.source.path} ${span.start} ${span.end}`;
      if (keys.has(key)) return;
      keys.add(key);
      if (diagnostic.severity === "error") errors++;
      diagnostics.push(diagnostic);
    },
    report(frame, kind, facts) {
      if (frame?.muted) return;
      const cause = kind.cause && `${kind.code} ${kind.cause(facts)}`;
      if (cause !== undefined && keys.has(cause)) return;
      if (cause !== undefined) keys.add(cause);
      const made = makeDiagnostic(kind, facts);
      const span = userSpan(frame, made.primary.span);
      const labels = made.labels.filter(
        (label) =>
          isUserSpan(label.span) &&
          !(
            label.span.source === span.source &&
            label.span.start === span.start &&
            label.span.end === span.end
          ),
      );
      session.add({
        ...made,
        primary: { span, text: made.primary.text },
        labels: labels.slice(0, 3),
        helps: made.helps.map((help) =>
          help.edits?.every((edit) => isUserSpan(edit.span)) === false ? { text: help.text } : help,
        ),
      });
    },
    load(path) {
      const known = files.get(path);
      if (known) return known;
      const source = read(path);
      if (!source) return undefined;
      const { file, diagnostics: syntax } = parse(source);
      for (const diagnostic of syntax) session.add(diagnostic);
      const scope = fileScope(
        path,
        file,
        syntax.map((each) => each.primary.span),
      );
      files.set(path, scope);
      for (const declaration of file.declarations) if (declaration.kind === "use") link(scope, declaration);
      return scope;
    },
    dataOf(scope, declaration) {
      if (!data.has(declaration)) {
        data.set(declaration, undefined);
        const before = errors;
        const value = hooks.data(session, scope, declaration);
        data.set(declaration, value && errors > before ? { ...value, unsound: true } : value);
      }
      return data.get(declaration);
    },
  };

  function link(scope: FileScope, use: UseDeclaration): void {
    if (use.from.text === "") return;
    const { text } = use.from;
    const path = (isPackage(use) ? packageFile(text, scope.path) : undefined) ?? resolveUse(scope.path, use);
    const start = loading.findIndex((each) => each.path === path);
    if (start >= 0 || path === scope.path) {
      const cycle = [...loading.slice(Math.max(start, 0)).map((each) => each.use), use];
      session.report(undefined, importCycle, { uses: cycle });
      return;
    }
    loading.push({ path: scope.path, use });
    const part = use.from.quoted ? undefined : use.from.text.replace(/^std\./, "");
    const other = part === undefined ? session.load(path) : hasPart(part) ? session.library : undefined;
    loading.pop();
    if (!other) {
      session.report(undefined, missingFile, {
        span: use.from.span,
        path,
        from: isPackage(use) ? "package" : use.from.quoted ? "file" : "library",
      });
      for (const name of use.names ?? [])
        scope.used.set(name.text, { scope: emptyScope, use, span: name.span });
      return;
    }
    const offered = [...other.declarations.keys(), ...other.lets.keys()];
    for (const name of use.names ?? offered.map((text) => ({ text, span: use.from.span }))) {
      if (offered.includes(name.text)) scope.used.set(name.text, { scope: other, use, span: name.span });
      else {
        scope.used.set(name.text, { scope: emptyScope, use, span: name.span });
        if (!other.sound) continue;
        session.report(undefined, unknownName, {
          span: name.span,
          name: name.text,
          what: "name",
          where: ` in ${textOf(use.from.span)}`,
          near: nearest(name.text, offered),
        });
      }
    }
  }

  return session;
}

/** Stands for a file that could not be read: whatever is used from it is unknown, without a message. */
export const emptyScope: FileScope = {
  path: "",
  file: { span: { source: { path: "", text: "" }, start: 0, end: 0 }, edition: undefined, declarations: [] },
  declarations: new Map(),
  lets: new Map(),
  used: new Map(),
  letValues: new Map(),
  sound: false,
  broken: [],
};

function isPackage({ from }: UseDeclaration): boolean {
  return from.quoted && !/^[./]|\.dlm$/.test(from.text);
}

/** `use "./b.dlm"` in `models/a.dlm` is `models/b.dlm`; packages and `std.x` keep their name. */
export function resolveUse(from: string, use: UseDeclaration): string {
  const text = use.from.text;
  if (!use.from.quoted) return `std/${text.replace(/^std\./, "").replaceAll(".", "/")}.dlm`;
  if (!text.startsWith(".")) return text;
  const parts = from.split("/").slice(0, -1);
  for (const part of text.split("/")) {
    if (part === "..") {
      if (parts.length > 0 && parts[parts.length - 1] !== "..") parts.pop();
      else parts.push("..");
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
