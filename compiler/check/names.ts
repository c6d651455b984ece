/** What names mean in a file: its declarations, what `use` brings in, and the prelude. */
import type {
  CallableDeclaration,
  Declaration,
  File,
  LetDeclaration,
  UseDeclaration,
  WorkflowDeclaration,
} from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import type { CheckValue } from "./values.ts";

export interface FileScope {
  readonly path: string;
  readonly file: File;
  readonly declarations: ReadonlyMap<string, NamedDeclaration>;
  readonly lets: ReadonlyMap<string, LetDeclaration>;
  /** declarations of other files, by the name they have here */
  readonly used: Map<
    string,
    { readonly scope: FileScope; readonly use: UseDeclaration; readonly span: Span }
  >;
  /** values of lets, once evaluated; "running" while one is */
  readonly letValues: Map<string, CheckValue | "running">;
  /** read without syntax errors */
  readonly sound: boolean;
  /** where there are some */
  readonly broken: readonly Span[];
}

/** Whether a part of the file could not be read as it stands: what its check would say may only follow from that. */
export function isBroken(scope: FileScope, span: Span): boolean {
  return scope.broken.some((each) => each.start <= span.end && each.end >= span.start);
}

export type NamedDeclaration = Exclude<Declaration, UseDeclaration>;

export function fileScope(path: string, file: File, broken: readonly Span[]): FileScope {
  const declarations = new Map<string, NamedDeclaration>();
  const lets = new Map<string, LetDeclaration>();
  for (const declaration of file.declarations) {
    if (declaration.kind === "use") continue;
    if (declaration.kind === "let") {
      if (!lets.has(declaration.name.text)) lets.set(declaration.name.text, declaration);
    } else if (!isWorkflow(declaration) && !declarations.has(declaration.name.text)) {
      declarations.set(declaration.name.text, declaration);
    }
  }
  return {
    path,
    file,
    declarations,
    lets,
    used: new Map(),
    letValues: new Map(),
    sound: broken.length === 0,
    broken,
  };
}

export function isWorkflow(declaration: Declaration): declaration is WorkflowDeclaration {
  return (
    declaration.kind === "train" ||
    declaration.kind === "tune" ||
    declaration.kind === "evaluate" ||
    declaration.kind === "deploy" ||
    declaration.kind === "check"
  );
}

export function callablesOf(scope: FileScope): CallableDeclaration[] {
  return scope.file.declarations.filter(
    (declaration): declaration is CallableDeclaration =>
      declaration.kind === "module" ||
      declaration.kind === "model" ||
      declaration.kind === "fn" ||
      declaration.kind === "op",
  );
}

/** `LayerNorm` -> `layer_norm`, `ResNet18` -> `res_net18` */
export function snakeCase(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1_$2")
    .toLowerCase();
}

/** Damerau-Levenshtein distance (neighbours that changed places count 1). */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(change, rows[i - 1]![j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** A part of one is the whole other: `batch_size` and `batch`, `weight_decay` and `decay`, `testing` and `test`. */
function contains(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const parts = snakeCase(long).split("_");
  return parts.some((part) =>
    short.length > 3 ? part.startsWith(short) : short.length > 2 && part === short,
  );
}

/** The names that were probably meant, at most two: the nearest, and another one that is as near. */
export function nearest(name: string, candidates: Iterable<string>): string[] {
  const limit = name.length <= 1 ? 0 : name.length <= 4 ? 1 : name.length <= 8 ? 2 : 3;
  return (
    [...new Set(candidates)]
      .map((candidate) => {
        const by = distance(name.toLowerCase(), candidate.toLowerCase());
        return { candidate, by: by > 1 && contains(name, candidate) ? 1 : by };
      })
      // two slips in a short word leave little of it, unless it begins alike: `rooom` and `rooms`, not `units` and `fits`
      .filter(({ candidate, by }) => by <= 1 || name.length > 5 || candidate.startsWith(name.slice(0, 2)))
      .filter(({ candidate, by }) => by <= limit && candidate !== name && by < candidate.length)
      .sort((x, y) => x.by - y.by || (x.candidate < y.candidate ? -1 : 1))
      .filter(({ by }, _, all) => by === all[0]!.by)
      .slice(0, 2)
      .map(({ candidate }) => candidate)
  );
}
