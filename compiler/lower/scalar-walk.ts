/** Walks and rewrites scalar code: shared nodes are visited once, equal nodes become one. */
import type { Affine, Index, LoopAxis, Scalar } from "../ir/scalar.ts";
import type { Buffer, Stage } from "../ir/kernel.ts";
import * as scalar from "../ir/scalar.ts";

/** Numbers for things compared by identity, so that they can stand in keys. */
export interface Names {
  of(thing: object): number;
  affine(a: Affine): string;
  affines(list: readonly Affine[]): string;
}

export function makeNames(): Names {
  const numbers = new Map<object, number>();
  const names: Names = {
    of(thing) {
      let number = numbers.get(thing);
      if (number === undefined) numbers.set(thing, (number = numbers.size));
      return number;
    },
    affine(a) {
      const terms = a.terms.map((t) => `${t.coefficient.key}@${names.of(t.axis)}`).sort();
      return `${a.constant.key};${terms.join(";")}`;
    },
    affines: (list) => list.map(names.affine).join("|"),
  };
  return names;
}

function childrenOf(s: Scalar): readonly Scalar[] {
  if (s.kind === "apply") return s.operands;
  if (s.kind === "load") return s.index.flatMap((i) => (i.kind === "computed" ? [i.value] : []));
  return [];
}

/** Every node below, operands first, each once. */
export function visit(root: Scalar, each: (s: Scalar) => void, seen = new Set<Scalar>()): void {
  if (seen.has(root)) return;
  seen.add(root);
  for (const child of childrenOf(root)) visit(child, each, seen);
  each(root);
}

/** Affine indices of this very node. */
export function affinesOf(s: Scalar): readonly Affine[] {
  if (s.kind === "index") return [s.index];
  if (s.kind === "inside" || s.kind === "result") return s.index;
  if (s.kind === "load") return s.index.flatMap((i) => (i.kind === "affine" ? [i.affine] : []));
  return [];
}

/** Axes in the indices of a scalar; what stages it reads depend on is not followed. */
export function axesIn(root: Scalar): Set<LoopAxis> {
  const axes = new Set<LoopAxis>();
  visit(root, (s) => {
    for (const a of affinesOf(s)) for (const t of a.terms) axes.add(t.axis);
  });
  return axes;
}

export function stagesIn(root: Scalar): Set<Stage> {
  const stages = new Set<Stage>();
  visit(root, (s) => {
    if (s.kind === "result") stages.add(s.stage);
  });
  return stages;
}

export function loadsIn(root: Scalar): Extract<Scalar, { kind: "load" }>[] {
  const loads: Extract<Scalar, { kind: "load" }>[] = [];
  visit(root, (s) => {
    if (s.kind === "load") loads.push(s);
  });
  return loads;
}

/** Rebuilds with equal nodes shared and conditions that are constants decided. */
export interface Interner {
  intern(s: Scalar): Scalar;
}

function decided(s: Scalar): Scalar {
  if (s.kind === "inside" && s.index.length === 0) return scalar.bool(true);
  if (s.kind !== "apply") return s;
  const [a, b, c] = s.operands;
  const known = a?.kind === "constant" ? a.value !== 0 : undefined;
  switch (s.instruction) {
    case "select":
    case "select_i32":
    case "select_bool":
      return known === undefined ? (b === c ? b! : s) : known ? b! : c!;
    case "and":
    case "or": {
      const absorbs = s.instruction === "or";
      if (known !== undefined) return known === absorbs ? a! : b!;
      if (b!.kind === "constant") return (b!.value !== 0) === absorbs ? b! : a!;
      return a === b ? a! : s;
    }
    case "not":
      return known === undefined ? s : scalar.bool(!known);
    default:
      return s;
  }
}

export function makeInterner(names: Names): Interner {
  const known = new Map<string, Scalar>();
  const index = (i: Index): string =>
    i.kind === "affine" ? names.affine(i.affine) : `#${names.of(i.value)}`;
  const keyOf = (s: Scalar): string => {
    switch (s.kind) {
      case "constant":
        return `c${s.type}${Object.is(s.value, -0) ? "-0" : s.value}`;
      case "index":
        return `i${names.affine(s.index)}`;
      case "size":
        return `s${s.size.key}`;
      case "inside":
        return `n${names.affines(s.index)}:${s.shape.map((d) => d.key).join(",")}`;
      case "load":
        return `l${names.of(s.buffer)}:${s.shape.map((d) => d.key).join(",")}:${s.index.map(index).join("|")}:${s.guarded.join(",")}`;
      case "result":
        return `r${names.of(s.stage)}:${names.affines(s.index)}`;
      case "apply":
        return `a${s.instruction}:${s.operands.map((o) => names.of(o)).join(",")}`;
    }
  };
  return {
    intern(s) {
      const simple = decided(s);
      if (simple !== s) return simple;
      const key = keyOf(s);
      const old = known.get(key);
      if (old !== undefined) return old;
      known.set(key, s);
      return s;
    },
  };
}

export interface Rewriting {
  /** an affine index, replaced */
  readonly affine?: (a: Affine) => Affine;
  /** a node whose operands are already rewritten, replaced */
  readonly node?: (s: Scalar) => Scalar;
}

/** A function that rewrites scalars bottom-up; nodes shared between calls stay shared. */
export function rewriter(interner: Interner, rewriting: Rewriting): (s: Scalar) => Scalar {
  const done = new Map<Scalar, Scalar>();
  const affine = rewriting.affine ?? ((a: Affine) => a);
  const go = (s: Scalar): Scalar => {
    const old = done.get(s);
    if (old !== undefined) return old;
    let next: Scalar = s;
    if (s.kind === "apply") next = { ...s, operands: s.operands.map(go) };
    else if (s.kind === "index") next = { ...s, index: affine(s.index) };
    else if (s.kind === "inside" || s.kind === "result") next = { ...s, index: s.index.map(affine) };
    else if (s.kind === "load")
      next = {
        ...s,
        index: s.index.map((i): Index =>
          i.kind === "affine"
            ? { kind: "affine", affine: affine(i.affine) }
            : { kind: "computed", value: go(i.value) },
        ),
      };
    next = interner.intern(next);
    if (rewriting.node) next = interner.intern(rewriting.node(next));
    done.set(s, next);
    return next;
  };
  return go;
}

/** Buffers that a kernel's stages load from. */
export function buffersRead(stages: readonly Stage[]): Set<Buffer> {
  const buffers = new Set<Buffer>();
  const seen = new Set<Scalar>();
  for (const stage of stages)
    visit(stage.value, (s) => void (s.kind === "load" && buffers.add(s.buffer)), seen);
  return buffers;
}
