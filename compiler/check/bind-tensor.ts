/** How the tensors of a call meet the signature: dims and packs are bound, what is bound already must agree. */
import type { AxisItem, Parameter } from "../../grammar/ast.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Frame } from "./frame.ts";
import { involvesLateDims } from "./late.ts";
import { dimNumber } from "./numbers.ts";
import { evaluateSize } from "./sizes.ts";
import type { Axis, CheckType, ElementType, Size } from "./type.ts";
import type { CheckValue } from "./values.ts";
import { axisName, isBlank, isKnown } from "./signature.ts";
import type { TypeShape } from "./signature.ts";

/** How a tensor of a call meets the type of its parameter: what the callee sees, or why it does not fit. */
export type Misfit =
  | { readonly kind: "kind"; readonly value: CheckValue }
  | { readonly kind: "element"; readonly expected: ElementType; readonly given: CheckType }
  | { readonly kind: "rank"; readonly expected: string; readonly given: CheckType }
  | {
      readonly kind: "size";
      readonly item: AxisItem;
      readonly expected: Size;
      readonly given: Axis;
      readonly type: CheckType;
      /** the parameter whose tensor the expected size came from; undefined where the signature itself says it */
      readonly from: string | undefined;
      readonly witness: ReadonlyMap<string, number> | undefined;
      readonly proved: boolean;
    }
  | {
      readonly kind: "pack";
      readonly expected: readonly Axis[];
      readonly given: CheckType;
      readonly from: string;
      readonly axis: Axis | undefined;
    }
  | {
      readonly kind: "bound";
      readonly expected: Size;
      readonly given: Size;
      readonly from: string | undefined;
    }
  | { readonly kind: "reported" };

/** The dims, labels and packs of a signature while a call binds them. */
export interface Binding {
  /** inner label -> the caller's, or none */
  readonly labels: Map<string, Axis | undefined>;
  /** which parameter a dim or pack was first met in */
  readonly first: Map<string, string>;
  /** the axes that `over` selected, by place in the first tensor */
  readonly over: readonly number[] | undefined;
}

export function emptyBinding(over: readonly number[] | undefined): Binding {
  return { labels: new Map(), first: new Map(), over };
}

/** Binds a tensor to a parameter: new names become dims of `frame`, the others must agree. */
export function bindTensor(
  frame: Frame,
  binding: Binding,
  parameter: Parameter,
  shape: Extract<TypeShape, { kind: "tensor" }>,
  value: Extract<CheckValue, { kind: "tensor" }>,
): { readonly type: CheckType } | Misfit {
  const given = value.type;
  if (!elementFits(shape.element, given.element)) return { kind: "element", expected: shape.element, given };
  const packs = shape.axes.filter((item) => item.kind === "pack");
  const overPack = packs.find((item) => item.kind === "pack" && item.name?.text === "Over");
  const plain = shape.axes.length - packs.length;
  const free = given.axes.length - plain;
  const expected = (): string => `[${shape.axes.map((item) => textOf(item.span)).join(", ")}]`;
  if (packs.length === 0 ? free !== 0 : free < 0) return { kind: "rank", expected: expected(), given };
  const axes: Axis[] = [];
  const local = new Map<string, Axis>();
  let at = 0;
  for (const item of shape.axes) {
    if (item.kind === "pack") {
      if (item === overPack) continue;
      const name = item.name?.text ?? "";
      const taken = given.axes.slice(at, at + free);
      at += free;
      const bound = !overPack
        ? bindPack(frame, binding, parameter.name.text, name, taken, given)
        : frame.packs.has("all")
          ? bindPack(frame, binding, parameter.name.text, "all", taken, given)
          : bindOver(frame, binding, parameter.name.text, taken);
      if ("kind" in bound) return bound;
      axes.push(...bound);
      continue;
    }
    const axis = given.axes[at]!;
    at++;
    const bound = bindAxis(frame, binding, parameter.name.text, item, axis, given, local);
    if ("kind" in bound) return bound;
    axes.push(bound);
  }
  const bound = bindBound(frame, binding, parameter.name.text, shape, given);
  if (bound && "kind" in bound) return bound;
  return { type: { element: given.element === "f16" ? "f32" : given.element, bound, axes } };
}

function elementFits(expected: ElementType, given: ElementType): boolean {
  if (expected === given) return true;
  if (expected === "f32") return given === "f16";
  return expected === "i32" && given === "int";
}

function hidden(pack: string, index: number, axis: Axis): Axis {
  return { label: `${pack}#${index}`, size: axis.size, ...shownOf(axis) };
}

function shownOf(axis: Axis): { shown?: string } {
  const shown = axis.shown ?? axis.label;
  return shown === undefined ? {} : { shown };
}

/**
 * All axes of the first tensor that is reduced: those named by `over` are the pack `Over`, the others `..`. Further
 * tensors of the signature have the same axes.
 */
function bindOver(
  frame: Frame,
  binding: Binding,
  parameter: string,
  taken: readonly Axis[],
): readonly Axis[] {
  const chosen = binding.over ?? [];
  const own: Axis[] = [];
  const over: Axis[] = [];
  const axes = taken.map((axis, i) => {
    const pack = chosen.includes(i) ? "Over" : "";
    const inner = hidden(pack, i, axis);
    binding.labels.set(inner.label!, axis);
    (pack === "" ? own : over).push(inner);
    return inner;
  });
  frame.packs.set("", own);
  frame.packs.set("Over", over);
  frame.packs.set("all", axes);
  binding.first.set("..all", parameter);
  return axes;
}

function bindPack(
  frame: Frame,
  binding: Binding,
  parameter: string,
  name: string,
  taken: readonly Axis[],
  given: CheckType,
): readonly Axis[] | Misfit {
  const old = frame.packs.get(name);
  if (!old) {
    const axes = taken.map((axis, i) => hidden(name, i, axis));
    axes.forEach((axis, i) => binding.labels.set(axis.label!, taken[i]));
    frame.packs.set(name, axes);
    binding.first.set(`..${name}`, parameter);
    return axes;
  }
  const from = binding.first.get(`..${name}`) ?? parameter;
  const misfit = (axis: Axis | undefined): Misfit => ({ kind: "pack", expected: old, given, from, axis });
  if (old.length !== taken.length) return misfit(taken.find((axis) => dim.constantOf(axis.size.dim) === 1));
  for (const [i, axis] of taken.entries()) {
    if (frame.elaboration.solver.equal(axis.size.dim, old[i]!.size.dim).kind !== "proved")
      return misfit(axis);
  }
  return old;
}

function bindAxis(
  frame: Frame,
  binding: Binding,
  parameter: string,
  item: Extract<AxisItem, { kind: "axis" }>,
  axis: Axis,
  type: CheckType,
  local: Map<string, Axis>,
): Axis | Misfit {
  const label = axisName(item);
  if (isBlank(item.size)) return { label: item.label?.text, size: axis.size };
  const isNew = item.label === undefined && item.size.kind === "name" && !isKnown(frame, item.size.text);
  if (label !== undefined && !binding.labels.has(label)) binding.labels.set(label, axis);
  else if (label !== undefined && !binding.labels.get(label)?.label) binding.labels.set(label, axis);
  if (isNew) {
    const name = (item.size as { readonly text: string }).text;
    frame.locals.values.set(name, dimNumber(axis.size.dim, axis.size.origin));
    binding.first.set(name, parameter);
    local.set(name, axis);
    return { label: name, size: axis.size };
  }
  const found = evaluateSize(frame, item.size);
  if (!found) return { kind: "reported" };
  const verdict = frame.elaboration.solver.equal(axis.size.dim, found.size.dim);
  if (verdict.kind !== "proved") {
    const from = item.size.kind === "name" ? binding.first.get(item.size.text) : undefined;
    return {
      kind: "size",
      item,
      expected: found.size,
      given: axis,
      type,
      from,
      witness: verdict.kind === "refuted" ? verdict.witness : undefined,
      proved: verdict.kind === "refuted" && verdict.witness.size === 0,
    };
  }
  if (item.label && !isKnown(frame, item.label.text))
    frame.locals.values.set(item.label.text, dimNumber(axis.size.dim, axis.size.origin));
  const plainName = item.size.kind === "name" ? item.size.text : undefined;
  return { label: item.label?.text ?? plainName, size: axis.size };
}

function bindBound(
  frame: Frame,
  binding: Binding,
  parameter: string,
  shape: Extract<TypeShape, { kind: "tensor" }>,
  given: CheckType,
): CheckType["bound"] | Misfit {
  if (shape.element !== "int" || !shape.bound || !given.bound) return given.bound;
  const { name, value } = shape.bound;
  const bind = (text: string): void => {
    frame.locals.values.set(text, dimNumber(given.bound!.dim, given.bound!.origin));
    binding.first.set(text, parameter);
    if (!binding.labels.has(text))
      binding.labels.set(text, { label: given.bound!.label, size: given.bound! });
  };
  if (isBlank(value)) return given.bound;
  if (value.kind === "name" && !isKnown(frame, value.text)) {
    bind(value.text);
    return { ...given.bound, label: value.text };
  }
  const found = evaluateSize(frame, value);
  if (!found) return { kind: "reported" };
  const { solver } = frame.elaboration;
  const fits = solver.equal(found.size.dim, given.bound.dim).kind === "proved";
  // the data has yet to say how many categories there are, and all is checked again when it has
  if (!fits && !involvesLateDims(solver, [found.size.dim, given.bound.dim]))
    return {
      kind: "bound",
      expected: found.size,
      given: given.bound,
      from: value.kind === "name" ? binding.first.get(value.text) : undefined,
    };
  if (name !== undefined && !isKnown(frame, name)) bind(name);
  return { ...given.bound, label: name ?? found.label };
}
