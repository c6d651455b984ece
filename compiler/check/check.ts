/** Checks a program: all its files, every declaration, each once. No I/O: sources come from `read`. */
import type { CallableDeclaration } from "../../grammar/ast.ts";
import type { Diagnostic } from "../../grammar/diagnostic.ts";
import type { Source } from "../../grammar/source.ts";
import { graphBuilder } from "../ir/builder.ts";
import { constantOf } from "../ir/dim.ts";
import { graphType } from "./type.ts";
import { checkAlone } from "./alone.ts";
import { createElaboration, elaborate, workflowFrame } from "./elaborate.ts";
import type { Elaborated, ElaborateOptions } from "./elaborate.ts";
import type { StageRow, StateStore, WeightSource } from "./frame.ts";
import { evaluateName } from "./lookup.ts";
import { callablesOf } from "./names.ts";
import type { FileScope } from "./names.ts";
import { isAllowed } from "./lints/allow.ts";
import { checkUnused } from "./lints/unused.ts";
import { checkTakenNames } from "./taken-names.ts";
import { createSession } from "./session.ts";
import type { Hooks, Session } from "./session.ts";
import type { CheckValue } from "./values.ts";

export interface CheckOptions {
  readonly path: string;
  /** the source of a path, as `use` resolves it */
  read(path: string): Source | undefined;
  /** the path of the file that a package offers to the file `from`; undefined where there is none */
  packageFile?(name: string, from: string): string | undefined;
  readonly hooks?: Hooks | undefined;
  /** values that stand for lets of the same name: what a search tries */
  readonly lets?: ReadonlyMap<string, CheckValue> | undefined;
}

export interface Checked {
  readonly session: Session;
  /** the file that was asked for; undefined where it cannot be read */
  readonly scope: FileScope | undefined;
  /** in the order of files and places */
  readonly diagnostics: readonly Diagnostic[];
}

const noHooks: Hooks = { data: () => undefined };

/** Checks the declarations of one file and of all files it uses. */
export function check(options: CheckOptions): Checked {
  const session = createSession(
    (path) => options.read(path),
    options.hooks ?? noHooks,
    options.lets,
    (name, from) => options.packageFile?.(name, from),
  );
  const scope = session.load(options.path);
  for (const file of session.files.values()) checkFile(session, file);
  return { session, scope, diagnostics: inOrder(session.diagnostics.filter((each) => !isAllowed(each))) };
}

function checkFile(session: Session, scope: FileScope): void {
  checkTakenNames(session, scope);
  checkLets(session, scope);
  for (const declaration of scope.file.declarations)
    if (declaration.kind === "data") session.dataOf(scope, declaration);
  const callables = callablesOf(scope);
  // modules first, so that a mistake in one is not reported again by its uses
  for (const kind of ["fn", "op", "module", "model"] as const)
    for (const declaration of callables)
      if (declaration.kind === kind) checkAlone(session, scope, declaration);
  session.hooks.file?.(session, scope);
  checkUnused(session, scope);
}

function checkLets(session: Session, scope: FileScope): void {
  const frame = workflowFrame(createElaboration(session, { phase: "inference" }), scope, "inference");
  for (const [name, declaration] of scope.lets)
    evaluateName(frame, { kind: "name", span: declaration.name.span, text: name });
}

function inOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map((each) => each.primary.span.source.path))];
  return [...diagnostics].sort((a, b) => {
    const [x, y] = [a.primary.span, b.primary.span];
    return files.indexOf(x.source.path) - files.indexOf(y.source.path) || x.start - y.start;
  });
}

// ---------------------------------------------------------------- models

export function modelsOf(scope: FileScope): CallableDeclaration[] {
  return callablesOf(scope).filter((declaration) => declaration.kind === "model");
}

export interface ModelSummary {
  readonly name: string;
  readonly rows: readonly StageRow[];
  readonly weights: readonly { readonly path: string; readonly shape: readonly number[] }[];
  readonly parameters: number;
  /** of one row */
  readonly flops: number;
  readonly elaborated: Elaborated;
}

/** A weight or state that is an input of the graph, for graphs that are only looked at. */
export function inputWeights(options: Pick<ElaborateOptions, "builder">): {
  readonly weights: WeightSource;
  readonly states: StateStore;
} {
  const { builder } = options;
  return {
    weights: { get: ({ path, type }) => builder?.input(path, "weight", graphType(type)) },
    states: { get: ({ path, type }) => builder?.input(path, "state", graphType(type)), set: () => undefined },
  };
}

/** The architecture table of a model that checks clean. */
export function summarise(
  session: Session,
  scope: FileScope,
  declaration: CallableDeclaration,
): ModelSummary {
  const builder = graphBuilder();
  const elaborated = elaborate(session, scope, declaration, {
    phase: "inference",
    builder,
    rows: true,
    ...inputWeights({ builder }),
  });
  const weights = [...elaborated.elaboration.requested.values()].flatMap(({ request, state }) =>
    state ? [] : [{ path: request.path, shape: shapeOf(request.type) }],
  );
  const rows = elaborated.elaboration.rows ?? [];
  return {
    name: declaration.name.text,
    rows,
    weights,
    parameters: weights.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0),
    flops: rows.reduce((sum, row) => sum + row.flops, 0),
    elaborated,
  };
}

function shapeOf(type: StageRow["type"]): number[] {
  return graphType(type).shape.map((size) => constantOf(size) ?? 0);
}
