/** What the tools know of data before the checker runs, so that the checker reads no file. A missing fact is an unknown. */
import type { DataDeclaration, Expression, File } from "../../../grammar/ast.ts";
import type { Position, Span } from "../../../grammar/source.ts";

export interface ColumnFacts {
  readonly kind: "number" | "text" | "array";
  /** where its header stands: line and column of the file; undefined for arrays */
  readonly at?: Position;
  /** of an array: dtype as stored, and the shape of one row */
  readonly dtype?: string;
  readonly shape?: readonly number[];
  /** of numbers and integer arrays, over all rows */
  readonly least?: number;
  readonly greatest?: number;
  /** of the train split; decides whether a regression output can reach its targets */
  readonly trainLeast?: number;
  /** distinct values of the train split, sorted: what the ids of a category count */
  readonly categories?: readonly string[];
}

export interface DataFacts {
  /**
   * nothing is where the source should be: the path as written, the place that was looked at, and the source that is there
   * under a name like it
   */
  readonly missing?: { readonly path: string; readonly place: string; readonly near?: string };
  /** the file that columns were looked for in, as shown in messages: `housing.csv` */
  readonly file?: string;
  /** rows of all splits together, after `drop` */
  readonly rows?: number;
  /** every column that the source has, also those the program does not name */
  readonly columns?: ReadonlyMap<string, ColumnFacts>;
  readonly splits?: Readonly<Record<"train" | "valid" | "test", number>>;
  /** how many rows of valid and test have the same inputs as a row of train */
  readonly shared?: Readonly<Record<"valid" | "test", number>>;
}

export interface Facts {
  /** by `dataKey` */
  readonly data: ReadonlyMap<string, DataFacts>;
}

export const noFacts: Facts = { data: new Map() };

/** A data declaration's name in facts and plans; two files may use one name. */
export function dataKey(declaration: DataDeclaration): string {
  return `${declaration.span.source.path}#${declaration.name.text}`;
}

/** A source that a data declaration reads. The path is relative to the folder of the file that `span` lies in. */
export interface DataNeed {
  readonly key: string;
  readonly declaration: DataDeclaration;
  readonly reader: string;
  readonly path: string;
  readonly span: Span;
  /** that one, and those of further files */
  readonly paths: readonly PathPlace[];
}

export interface PathPlace {
  readonly path: string;
  readonly span: Span;
}

/** Splits that may have a file of their own: `csv("houses.csv", test = "late.csv")`. */
export const givenSplits = ["valid", "test"] as const;

/** The reader and paths of `csv("housing.csv", ...)`; undefined where the text has another form. */
export function sourceOf(from: Expression): Pick<DataNeed, "reader" | "path" | "span" | "paths"> | undefined {
  if (from.kind !== "call" || from.callee.kind !== "name") return undefined;
  const first = from.arguments.find((a) => a.name === undefined);
  if (first?.value.kind !== "string") return undefined;
  const paths = from.arguments.flatMap(({ name, value }): PathPlace[] =>
    value.kind === "string" && (!name || givenSplits.some((split) => split === name.text))
      ? [{ path: value.value, span: value.span }]
      : [],
  );
  return { reader: from.callee.text, path: first.value.value, span: first.value.span, paths };
}

/** The data that one file's declarations read, in their order. */
export function needs(file: File): readonly DataNeed[] {
  return file.declarations.flatMap((declaration) => {
    if (declaration.kind !== "data") return [];
    const source = sourceOf(declaration.from);
    return source ? [{ key: dataKey(declaration), declaration, ...source }] : [];
  });
}
