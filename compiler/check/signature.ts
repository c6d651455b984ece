/** Types in signatures: what their texts say. */
import type { AxisItem, Expression, Type } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import type { Frame } from "./frame.ts";
import { lookup } from "./lookup.ts";
import { nearest } from "./names.ts";
import { notBuilt } from "./flow/diagnostics/dlm0120-not-built.ts";
import { evaluateSize } from "./sizes.ts";
import type { Axis, ElementType } from "./type.ts";
import type { DataValue } from "./values.ts";

const elementTypes: ReadonlySet<string> = new Set(["f32", "f16", "i32", "u8", "bool", "int"]);

/** What a type's text says, before sizes are looked at. */
export type TypeShape =
  | {
      readonly kind: "tensor";
      readonly element: ElementType;
      readonly axes: readonly AxisItem[];
      readonly bound: { readonly name: string | undefined; readonly value: Expression } | undefined;
      readonly span: Span;
    }
  | { readonly kind: "record"; readonly fields: readonly { readonly name: string; readonly type: Type }[] }
  | { readonly kind: "data"; readonly data: DataValue; readonly span: Span }
  /** anything: no type is written, or one that could not be read */
  | { readonly kind: "any" };

export function typeShape(frame: Frame, type: Type | undefined): TypeShape {
  if (!type || type.kind === "hole") return { kind: "any" };
  if (type.kind === "tensor-type")
    return { kind: "tensor", element: "f32", axes: type.axes, bound: undefined, span: type.span };
  if (type.kind === "record-type")
    return {
      kind: "record",
      fields: type.fields.map((field) => ({ name: field.name.text, type: field.type })),
    };
  const [first] = type.path;
  if (!first || first.text === "_" || first.text === "") return { kind: "any" };
  if (elementTypes.has(first.text)) {
    if (first.text === "f16")
      frame.elaboration.session.report(frame, notBuilt, { what: "tensors of f16", span: first.span });
    const bound = type.bound && { name: type.bound.name?.text, value: type.bound.value };
    return {
      kind: "tensor",
      element: first.text as ElementType,
      axes: type.axes ?? [],
      bound,
      span: type.span,
    };
  }
  const found = lookup(frame, first.text, first.span);
  if (found?.kind === "data") return { kind: "data", data: found, span: type.span };
  if (found?.kind !== "unknown" && frame.file.sound) {
    const known = [...elementTypes, ...frame.file.declarations.keys()];
    frame.elaboration.session.report(frame, unknownName, {
      span: first.span,
      name: first.text,
      what: "type",
      where: "",
      near: nearest(first.text, known),
    });
  }
  return { kind: "any" };
}

/** The name of a plain axis `D`, also where it is labelled so: `D=8`. */
export function axisName(item: AxisItem): string | undefined {
  if (item.kind !== "axis") return undefined;
  return item.label?.text ?? (item.size.kind === "name" ? item.size.text : undefined);
}

export function isBlank(expression: Expression): boolean {
  return expression.kind === "name" && expression.text === "_";
}

/**
 * Axes of a shape that is written where all names are known: `zeros[B, H]`, a weight, a result type.
 * Undefined after a message. `_` is not allowed here.
 */
export function evaluateShape(frame: Frame, items: readonly AxisItem[]): Axis[] | undefined {
  const axes: Axis[] = [];
  let sound = true;
  for (const item of items) {
    if (item.kind === "pack") {
      const pack = frame.packs.get(item.name?.text ?? "");
      if (pack) axes.push(...pack);
      else {
        sound = false;
        unknownPack(frame, item);
      }
      continue;
    }
    const found = evaluateSize(frame, item.size);
    if (!found) {
      sound = false;
      continue;
    }
    const named = item.size.kind === "name" && found.size ? labelOfName(item.size.text) : undefined;
    axes.push({ label: item.label?.text ?? found.label ?? named, size: found.size });
  }
  return sound ? axes : undefined;
}

/** Capital names label the axis they size; other names do not. */
function labelOfName(name: string): string | undefined {
  return /^[A-Z]/.test(name) ? name : undefined;
}

function unknownPack(frame: Frame, item: Extract<AxisItem, { kind: "pack" }>): void {
  frame.elaboration.session.report(frame, unknownName, {
    span: item.span,
    name: textOf(item.span),
    what: "pack of axes",
    where: " in this signature",
    near: [...frame.packs.keys()].filter((name) => name !== "").map((name) => `..${name}`),
  });
}

/** Whether a name has a size already: a dim or a let that is visible. */
export function isKnown(frame: Frame, name: string): boolean {
  const local = frame.locals.values.get(name);
  if (local) return local.kind === "number";
  return (
    frame.open && (frame.file.lets.has(name) || frame.file.used.get(name)?.scope.lets.has(name) === true)
  );
}
