/** The tensors of a declaration that is elaborated as a whole: each name that has no size is a free dim. */
import type { AxisItem, Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Frame } from "./frame.ts";
import { dimNumber } from "./numbers.ts";
import type { SizeOrigin } from "./origin.ts";
import { evaluateSize, isEmpty } from "./sizes.ts";
import { checkType } from "./type.ts";
import type { Axis, CheckType, Size } from "./type.ts";
import { axisName, isBlank, isKnown } from "./signature.ts";
import type { TypeShape } from "./signature.ts";

/** The inputs of a declaration that is elaborated as a whole: each name that has no size is a free dim. */
export function freeType(frame: Frame, shape: Extract<TypeShape, { kind: "tensor" }>): CheckType | undefined {
  const axes: Axis[] = [];
  let sound = true;
  for (const item of shape.axes) {
    if (item.kind === "pack") {
      axes.push(...freePack(frame, item.name?.text ?? "", item.span));
      continue;
    }
    const axis = freeAxis(frame, item);
    if (axis) axes.push(axis);
    else sound = false;
  }
  const bound = shape.bound && freeBound(frame, shape.bound);
  if (!sound || (shape.bound && !bound)) return undefined;
  return checkType(shape.element, axes, bound);
}

/** A pack in a module that is checked alone: two axes of any size. */
function freePack(frame: Frame, name: string, span: Span): readonly Axis[] {
  const known = frame.packs.get(name);
  if (known) return known;
  const origin: SizeOrigin = { kind: "written", span, name: undefined };
  const axes = [0, 1].map((i) => ({
    label: `${name}#${i}`,
    size: { dim: frame.elaboration.solver.fresh(`${name}#${i}`), origin },
    shown: `..${name}`,
  }));
  frame.packs.set(name, axes);
  return axes;
}

function freeAxis(frame: Frame, item: Extract<AxisItem, { kind: "axis" }>): Axis | undefined {
  const { solver } = frame.elaboration;
  const origin: SizeOrigin = { kind: "written", span: item.span, name: axisName(item) };
  if (isBlank(item.size)) return { label: item.label?.text, size: { dim: solver.fresh("_"), origin } };
  const introduces = item.size.kind === "name" && !isKnown(frame, item.size.text);
  if (introduces) {
    const name = (item.size as { readonly text: string }).text;
    const size = solver.normalise(dim.symbol(name));
    frame.locals.values.set(name, dimNumber(size, origin));
    if (item.label) frame.locals.values.set(item.label.text, dimNumber(size, origin));
    return { label: item.label?.text ?? name, size: { dim: size, origin } };
  }
  const found = evaluateSize(frame, item.size);
  if (!found || isEmpty(frame, found.size, item.span)) return undefined;
  const size: Size = { dim: found.size.dim, origin: item.size.kind === "name" ? found.size.origin : origin };
  const label = item.label?.text ?? (item.size.kind === "name" ? item.size.text : undefined);
  if (item.label) frame.locals.values.set(item.label.text, dimNumber(size.dim, origin));
  return { label, size };
}

function freeBound(
  frame: Frame,
  bound: { readonly name: string | undefined; readonly value: Expression },
): CheckType["bound"] {
  const { value, name } = bound;
  const origin: SizeOrigin = { kind: "written", span: value.span, name };
  if (value.kind === "name" && !isKnown(frame, value.text) && !isBlank(value)) {
    const size = frame.elaboration.solver.normalise(dim.symbol(value.text));
    frame.locals.values.set(value.text, dimNumber(size, origin));
    return { dim: size, origin, label: value.text };
  }
  const found = evaluateSize(frame, value);
  if (!found) return undefined;
  if (name !== undefined) frame.locals.values.set(name, dimNumber(found.size.dim, origin));
  return { ...found.size, label: name ?? found.label };
}
