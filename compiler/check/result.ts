/** Results: what a body gives against what its signature promises, and how the caller sees it. */
import type { AxisItem, CallableDeclaration, Type } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import { lastExpression } from "./body.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import { bodyDiffers } from "./diagnostics/dlm0208-body-differs.ts";
import type { BodyDiffers } from "./diagnostics/dlm0208-body-differs.ts";
import { scalarTensor } from "./emit.ts";
import { ordersDiffer } from "./elementwise.ts";
import type { Frame } from "./frame.ts";
import { lookup } from "./lookup.ts";
import { nearest } from "./names.ts";
import { axisName, isBlank, typeShape } from "./signature.ts";
import type { Binding } from "./bind-tensor.ts";
import type { Verdict } from "./solver.ts";
import { evaluateSize } from "./sizes.ts";
import { showType } from "./type.ts";
import type { Axis, CheckType } from "./type.ts";
import { kindInWords, unknown } from "./values.ts";
import type { CheckValue, RecordValue, TensorValue } from "./values.ts";

/** How an axis of the result is named: by the signature, or as the body names it (`_`, packs). */
interface Promised {
  readonly type: CheckType;
  /** for each axis: its label in the signature; null where `_` or a pack leaves it to the body's axis */
  readonly labels: readonly (string | null)[];
}

/**
 * The value with the axes that the signature promises; unknown after a message. `where` it is found: the module on
 * its own, or a use of it (where sizes are known that the module alone could not decide).
 */
export function conformResult(
  frame: Frame,
  declaration: CallableDeclaration,
  value: CheckValue | undefined,
  where: "alone" | "use",
): Conformed {
  if (value === undefined) {
    if (frame.file.sound) report(frame, declaration, declaration.result, undefined, undefined, where);
    return nothing;
  }
  return conform(frame, declaration, declaration.result, value, where);
}

export type Conformed =
  | { readonly kind: "tensor"; readonly value: TensorValue; readonly labels: readonly (string | null)[] }
  | { readonly kind: "record"; readonly fields: ReadonlyMap<string, Conformed>; readonly span: Span }
  | { readonly kind: "other"; readonly value: CheckValue };

const nothing: Conformed = { kind: "other", value: unknown };

function conform(
  frame: Frame,
  declaration: CallableDeclaration,
  type: Type,
  value: CheckValue,
  where: "alone" | "use",
): Conformed {
  const shape = typeShape(frame, type);
  // names of the result are looked up even where the body is unknown
  if (shape.kind === "any" || shape.kind === "data")
    return value.kind === "tensor"
      ? { kind: "tensor", value, labels: value.type.axes.map(() => null) }
      : { kind: "other", value };
  if (shape.kind === "record") {
    if (value.kind === "unknown") return nothing;
    const fields = value.kind === "record" ? value.fields : new Map<string, CheckValue>();
    const names = shape.fields.map((field) => field.name);
    if (value.kind !== "record" || names.some((name) => !fields.has(name)) || fields.size !== names.length) {
      report(frame, declaration, type, describe(frame, value), undefined, where);
      return nothing;
    }
    return {
      kind: "record",
      span: (value as RecordValue).span,
      fields: new Map(
        shape.fields.map((field) => [
          field.name,
          conform(frame, declaration, field.type, fields.get(field.name)!, where),
        ]),
      ),
    };
  }
  const tensor = value.kind === "number" ? scalarTensor(frame, value, declaration.body.span) : value;
  const promised = promisedType(
    frame,
    shape.element,
    shape.axes,
    tensor.kind === "tensor" ? tensor.type : undefined,
  );
  if (tensor.kind === "unknown" || !promised) return nothing;
  if (tensor.kind !== "tensor") {
    report(frame, declaration, type, describe(frame, tensor), undefined, where);
    return nothing;
  }
  if (!fits(frame, promised, tensor.type)) {
    report(
      frame,
      declaration,
      type,
      describe(frame, tensor),
      { promised: promised.type, given: tensor.type },
      where,
    );
    return nothing;
  }
  const axes = promised.type.axes.map((axis, i) => {
    const own = tensor.type.axes[i]!;
    return promised.labels[i] === null ? own : { ...own, label: axis.label };
  });
  const bound = tensor.type.bound;
  return {
    kind: "tensor",
    value: { ...tensor, type: { ...tensor.type, axes, bound } },
    labels: promised.labels,
  };
}

/** The promised axes; `_` and unknown packs take the body's. Undefined after a message. */
function promisedType(
  frame: Frame,
  element: CheckType["element"],
  items: readonly AxisItem[],
  given: CheckType | undefined,
): Promised | undefined {
  const axes: Axis[] = [];
  const labels: (string | null)[] = [];
  let sound = true;
  const plain = items.filter((item) => item.kind === "axis").length;
  const hasOver = items.some((item) => item.kind === "pack" && item.name?.text === "Over");
  for (const item of items) {
    if (item.kind === "pack") {
      const name = item.name?.text ?? "";
      if (hasOver && name === "Over" && items.length > 1) continue;
      const pack = hasOver ? frame.packs.get("all") : frame.packs.get(name);
      const taken = pack ?? given?.axes.slice(axes.length, given.axes.length - (plain - axes.length)) ?? [];
      for (const axis of taken) {
        axes.push(axis);
        labels.push(pack ? (axis.label ?? null) : null);
      }
      continue;
    }
    const own = given?.axes[axes.length];
    if (isBlank(item.size)) {
      if (own) axes.push(item.label ? { label: item.label.text, size: own.size } : own);
      labels.push(item.label?.text ?? null);
      continue;
    }
    const found = isReferred(frame, item) ? evaluateSize(frame, item.size) : undefined;
    if (!found) {
      sound = false;
      continue;
    }
    const label = item.label?.text ?? (item.size.kind === "name" ? axisName(item) : undefined);
    axes.push({ label, size: found.size });
    labels.push(label ?? null);
  }
  return sound ? { type: { element, bound: undefined, axes }, labels } : undefined;
}

/** A plain name of a result refers to what the parameters made known; says so where there is nothing of the name. */
function isReferred(frame: Frame, item: Extract<AxisItem, { kind: "axis" }>): boolean {
  if (item.size.kind !== "name") return true;
  const { text: name, span } = item.size;
  if (name === "" || lookup(frame, name, span) || !frame.file.sound) return name !== "";
  if (!frame.open && frame.file.lets.has(name)) return true;
  frame.elaboration.session.report(frame, unknownName, {
    span,
    name,
    what: "dim",
    where: " in the parameters",
    near: nearest(
      name,
      [...frame.locals.values].flatMap(([each, value]) => (value.kind === "number" ? [each] : [])),
    ),
    helps: item.label ? [] : [`\`${name}=_\` names the axis and takes its size from the body`],
  });
  return false;
}

function fits(frame: Frame, promised: Promised, given: CheckType): boolean {
  const { axes } = promised.type;
  if (axes.length !== given.axes.length) return false;
  const float = (element: string): boolean => element === "f32" || element === "f16";
  const same =
    promised.type.element === given.element ||
    (float(promised.type.element) && float(given.element)) ||
    (promised.type.element === "i32" && given.element === "int");
  if (!same) return false;
  if (ordersDiffer(axes, given.axes)) return false;
  return axes.every(
    (axis, i) => frame.elaboration.solver.equal(axis.size.dim, given.axes[i]!.size.dim).kind === "proved",
  );
}

function describe(frame: Frame, value: CheckValue): string {
  if (value.kind === "tensor") return showType(value.type, frame.elaboration.solver.show);
  if (value.kind === "record") {
    const parts = [...value.fields].map(([name, field]) => `${name}: ${describe(frame, field)}`);
    return `(${parts.join(", ")})`;
  }
  return kindInWords(value);
}

/** `given`: what the body gives, in words; undefined where it gives nothing. */
function report(
  frame: Frame,
  declaration: CallableDeclaration,
  type: Type,
  given: string | undefined,
  types: { readonly promised: CheckType; readonly given: CheckType } | undefined,
  where: "alone" | "use",
): void {
  const { solver, session } = frame.elaboration;
  const last = lastExpression(declaration.body);
  session.report(frame, bodyDiffers, {
    span: last.span,
    given: given ?? "nothing",
    promised: types ? showType(types.promised, solver.show) : undefined,
    signature: type.span,
    name: declaration.name.text,
    difference: types && differenceOf(frame, types.promised, types.given),
    squeezes: types !== undefined && squeezes(frame, types.promised, types.given),
    use: where === "use" && frame.call ? frame.call.span : undefined,
    ending: given === undefined ? endingOf(declaration.body) : undefined,
  });
}

/** How a body without a value ends. */
function endingOf({ statements }: CallableDeclaration["body"]): BodyDiffers["ending"] {
  const last = statements.at(-1);
  if (last?.kind === "bind" && last.names.length === 1) return { kind: "binding", name: last.names[0]!.text };
  return { kind: last?.kind === "expression" && last.value.kind === "if" ? "if" : "other" };
}

/** Whether a last axis of size 1 is all that is too much. */
function squeezes(frame: Frame, promised: CheckType, given: CheckType): boolean {
  const last = given.axes.at(-1);
  return (
    given.axes.length === promised.axes.length + 1 &&
    last !== undefined &&
    dim.constantOf(last.size.dim) === 1 &&
    promised.axes.every(
      (axis, i) => frame.elaboration.solver.equal(axis.size.dim, given.axes[i]!.size.dim).kind === "proved",
    )
  );
}

/** The one axis that differs, for a note and a fix. */
function differenceOf(
  frame: Frame,
  promised: CheckType,
  given: CheckType,
):
  | {
      readonly promised: string;
      readonly given: string;
      readonly factor: string | undefined;
      readonly last: boolean;
      readonly verdict: Verdict;
    }
  | undefined {
  const { solver } = frame.elaboration;
  if (promised.axes.length !== given.axes.length) return undefined;
  const places = promised.axes.flatMap((axis, i) =>
    solver.equal(axis.size.dim, given.axes[i]!.size.dim).kind === "proved" ? [] : [i],
  );
  const [place] = places;
  if (place === undefined || places.length > 1) return undefined;
  const want = solver.normalise(promised.axes[place]!.size.dim);
  const have = solver.normalise(given.axes[place]!.size.dim);
  const factor = dim.divideExactly(have, want);
  return {
    promised: solver.show(want),
    given: solver.show(have),
    factor: factor && solver.show(factor),
    last: place === promised.axes.length - 1,
    verdict: solver.equal(have, want),
  };
}

/** The result under the caller's labels. */
export function outerResult(frame: Frame, binding: Binding, conformed: Conformed, span: Span): CheckValue {
  if (conformed.kind === "other") return conformed.value;
  if (conformed.kind === "record") {
    return {
      kind: "record",
      span,
      fields: new Map(
        [...conformed.fields].map(([name, field]) => [name, outerResult(frame, binding, field, span)]),
      ),
    };
  }
  const { value, labels } = conformed;
  const axes = value.type.axes.map((axis, i): Axis => {
    const promised = labels[i];
    // `_` and packs keep the caller's label where the axis is the caller's
    const label =
      promised ?? (axis.label !== undefined && binding.labels.has(axis.label) ? axis.label : undefined);
    if (label === undefined) return { label: undefined, size: axis.size };
    const outer = binding.labels.get(label);
    const shown = outer?.shown;
    return {
      label: frame.activation.outerLabel(label),
      size: axis.size,
      ...(shown === undefined ? {} : { shown }),
    };
  });
  return { ...value, type: { ...value.type, axes }, span };
}
