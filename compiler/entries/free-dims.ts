/** Free dims of entries: their names, what `where` promises of them, and the sizes that memory is planned for by default. */
import { textOf } from "../../grammar/source.ts";
import { promisesOf } from "../check/elaborate.ts";
import type { TrainPlan } from "../check/flow/plans.ts";
import type { Session } from "../check/session.ts";
import { boundsOf as boundsBy } from "../check/size-bounds.ts";
import type { Fact, Solver } from "../check/solver.ts";
import type { CallableValue } from "../check/values.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { FreeDim, Graph } from "../ir/graph.ts";
import type { SizePromise } from "../ir/model.ts";
import { inNames, nameOf, namedSize } from "../ir/named-dims.ts";

/** Rows of one call where rows are independent and nothing else is said. */
const defaultRows = 32;

/** What the signature of a model says of its free dims. */
export interface ModelDims {
  /** the free dim of a symbol, with its largest size */
  dim(symbol: string): FreeDim;
  /** what is promised of sizes of these dims */
  promises(dims: readonly FreeDim[]): readonly SizePromise[];
}

export const noPromises: ModelDims = { dim: (name) => ({ name, max: undefined }), promises: () => [] };

export function modelDims(session: Session, { declaration, scope }: CallableValue): ModelDims {
  if (declaration.where.length === 0) return noPromises;
  const { solver, facts } = promisesOf(session, scope, declaration);
  const upper = boundsBy(facts.flatMap(({ fact }) => (fact.kind === "at-most" ? [slackOf(fact)] : [])));
  return {
    dim(name) {
      const of = wholeOf(solver, name);
      const { high } = upper.of(of?.name ?? name);
      return {
        name,
        max: Number.isFinite(high) ? Math.max(1, Math.floor(high / (of?.times ?? 1))) : undefined,
        ...(of && { of }),
      };
    },
    promises: (dims) =>
      facts.flatMap(({ clause, fact }) => {
        const text = textOf(clause.span);
        return leastSizes(fact).flatMap((size): SizePromise[] => {
          const named = inDims(solver, size, dims);
          return named && dim.constantOf(named) === undefined ? [{ text, size: named }] : [];
        });
      }),
  };
}

function slackOf({ left, right }: Extract<Fact, { kind: "at-most" }>): Dim {
  return dim.subtract(right, left);
}

/** The dim that a symbol is a part of: half of T, where 2 divides T. */
function wholeOf(solver: Solver, name: string): FreeDim["of"] {
  for (const written of solver.substitutions().keys()) {
    if (written.includes("/") || !name.startsWith(`${written}/`)) continue;
    const factor = dim.divideExactly(solver.normalise(dim.symbol(written)), dim.symbol(name));
    const times = factor && dim.constantOf(factor);
    if (times !== undefined) return { name: written, times };
    if (factor) return { name: `${written} / ${dim.show(factor)}`, times: 1 };
  }
  return undefined;
}

/** Sizes that are at least 0 just where the promise is kept. */
function leastSizes(fact: Fact): readonly Dim[] {
  if (fact.kind === "at-most") return [slackOf(fact)];
  if (fact.kind === "equal")
    return [dim.subtract(fact.right, fact.left), dim.subtract(fact.left, fact.right)];
  return [dim.subtract(dim.multiply(fact.divisor, dim.floorDivide(fact.of, fact.divisor)), fact.of)];
}

/** In the dims that an entry has; undefined where it speaks of others. */
function inDims(solver: Solver, size: Dim, dims: readonly FreeDim[]): Dim | undefined {
  const known = new Set(dims.map(nameOf));
  const others = [...dim.symbolsOf(size)].filter((name) => !known.has(name));
  const made = new Map(others.map((name) => [name, inNames(solver.normalise(dim.symbol(name)), dims)]));
  const named = dim.substitute(size, made);
  return [...dim.symbolsOf(named)].every((name) => known.has(name)) ? named : undefined;
}

/** By the names of the graph's dims; sizes for which all promises are kept, where some are found. */
export function defaultSizes(
  graph: Graph,
  rows: boolean,
  plan: TrainPlan | undefined,
  promises: readonly SizePromise[],
): ReadonlyMap<string, number> {
  const trains = ["train", "measure", "grad", "sample"].includes(graph.name.split(".")[0]!);
  const sizes = new Map(
    graph.dims.map(({ name, max }, i) => {
      if (i === 0 && trains && plan) return [name, plan.batch];
      return [name, max ?? (i === 0 && rows ? defaultRows : 1)];
    }),
  );
  raise(graph.dims, sizes, promises);
  return sizes;
}

/** the largest size that is tried where a promise asks for more than the default */
const mostTried = 4096;

/** Makes sizes larger, one after the other, until each promise is kept. */
export function raise(
  dims: readonly FreeDim[],
  sizes: Map<string, number>,
  promises: readonly SizePromise[],
): void {
  const isKept = ({ size }: SizePromise): boolean =>
    dim.evaluate(size, new Map(dims.map((each) => [nameOf(each), namedSize(each, sizes.get(each.name)!)]))) >=
    0;
  for (const promise of [...promises, ...promises]) {
    if (isKept(promise)) continue;
    const symbols = dim.symbolsOf(promise.size);
    for (const { name } of dims.filter((each) => symbols.has(nameOf(each)))) {
      const before = sizes.get(name)!;
      while (!isKept(promise) && sizes.get(name)! < mostTried) sizes.set(name, sizes.get(name)! + 1);
      if (isKept(promise)) break;
      sizes.set(name, before);
    }
  }
}
