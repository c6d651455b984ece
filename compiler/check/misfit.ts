/** Says why a tensor does not fit the parameter it is given to. */
import type { Parameter } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Given } from "./builtins/builtin.ts";
import { calleeOf } from "./arguments.ts";
import type { Bound } from "./arguments.ts";
import { alreadyFloat } from "./diagnostics/dlm0302-already-float.ts";
import { classesDiffer } from "./diagnostics/dlm0301-classes-differ.ts";
import { differentSizes } from "./diagnostics/dlm0401-different-sizes.ts";
import { doesNotFit } from "./diagnostics/dlm0213-does-not-fit.ts";
import { integerArithmetic } from "./diagnostics/dlm0303-not-mixed.ts";
import { noSuchLabel } from "./diagnostics/dlm0304-no-such-label.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { wrongRank } from "./diagnostics/dlm0211-wrong-rank.ts";
import { readsData } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { nearestSpans, originLabels } from "./origin.ts";
import type { Misfit } from "./bind-tensor.ts";
import { showType } from "./type.ts";
import type { Size } from "./type.ts";
import type { CallableValue, CheckValue, RecordValue } from "./values.ts";
import { kindInWords } from "./values.ts";

export function reportMisfit(
  caller: Frame,
  callable: CallableValue,
  parameter: Parameter,
  given: Given,
  misfit: Misfit | { readonly kind: "label"; readonly value: number; readonly classes: number },
  span: Span,
  bound: Bound,
): void {
  const { session, solver } = caller.elaboration;
  const { show } = solver;
  const name = callable.declaration.name.text;
  const type = given.value.kind === "tensor" ? showType(given.value.type, show) : kindInWords(given.value);
  const at = given.at ?? span;
  const expected = parameter.type ? textOf(parameter.type.span) : "a tensor";
  switch (misfit.kind) {
    case "reported":
      return;
    case "kind":
      session.report(caller, unfit, {
        span: given.span,
        expected: `a tensor ${expected} for \`${parameter.name.text}\` of \`${name}\``,
        found: kindInWords(misfit.value),
        helps:
          misfit.value.kind === "record"
            ? partsOf(misfit.value, given)
            : isListOfTensors(misfit.value)
              ? [`make one tensor of the list: \`-> concat -> ${textOf(span)}\``]
              : [calleeOf(callable).signature],
      });
      return;
    case "label":
      session.report(caller, noSuchLabel, { span: given.span, label: misfit.value, classes: misfit.classes });
      return;
    case "element":
      if (misfit.expected === "int" || misfit.expected === "i32") {
        session.report(caller, alreadyFloat, {
          span: at,
          name,
          needs: expected,
          value: given.span,
          type,
          written: given.value.kind === "tensor" ? originOf(given.value) : undefined,
          fromData: readsData(caller) || given.at !== undefined,
          meant: numbersInstead(caller, given, bound),
        });
        return;
      }
      session.report(caller, integerArithmetic, {
        span: given.at ?? given.span,
        what: `\`${name}\``,
        element: misfit.given.element,
        type,
        others: [misfit.expected],
        ...(given.at ? { column: given.span } : {}),
        meant: labelsInstead(caller, callable, given, bound),
      });
      return;
    case "rank":
      session.report(caller, wrongRank, {
        span: at,
        name,
        expected: misfit.expected,
        given: type,
        count: misfit.given.axes.length,
        value: given.span,
        isColumn: given.at !== undefined,
      });
      return;
    case "pack":
      reportPack(caller, callable, given, misfit, bound);
      return;
    case "bound":
      session.report(caller, classesDiffer, {
        span: given.span,
        classes: show(misfit.expected.dim),
        labels: show(misfit.given.dim),
        output: otherTensor(bound, misfit.from, show),
        label: type,
        origins: [
          ...originLabels(show(misfit.expected.dim), misfit.expected.origin, [given.span]),
          ...originLabels(show(misfit.given.dim), misfit.given.origin, [given.span]),
        ],
        count: dim.constantOf(misfit.given.dim),
        written: writtenSizes(caller, misfit.expected),
      });
      return;
    case "size": {
      const other = misfit.from === undefined ? undefined : otherTensor(bound, misfit.from, show);
      if (other && misfit.from !== parameter.name.text) {
        session.report(caller, differentSizes, {
          span: given.span,
          name,
          this: type,
          other,
          origins: originLabels(show(misfit.given.size.dim), misfit.given.size.origin, [given.span]),
          one: false,
        });
        return;
      }
      session.report(caller, doesNotFit, {
        span: at,
        name,
        axis: textOf(misfit.item.span),
        expected: show(misfit.expected.dim),
        given: show(misfit.given.size.dim),
        type,
        value: given.span,
        proved: misfit.proved,
        witness: misfit.witness,
        origins: originLabels(show(misfit.given.size.dim), misfit.given.size.origin, [given.span, span]),
      });
    }
  }
}

/** Where the text says a size: the number it comes from, and the signature around it that promises the same as its last axis. */
function writtenSizes(caller: Frame, { dim: size, origin }: Size): readonly Span[] {
  const [written] = nearestSpans(origin, 1);
  if (!written) return [];
  const declaration = caller.file.file.declarations.find(
    ({ span }) => span.source === written.source && span.start <= written.start && written.end <= span.end,
  );
  const result = declaration && "result" in declaration ? declaration.result : undefined;
  const last = result?.kind === "tensor-type" ? result.axes.at(-1) : undefined;
  if (last?.kind !== "axis" || last.size.kind !== "number") return [written];
  return last.size.value === dim.constantOf(size) ? [written, last.size.span] : [written];
}

function isListOfTensors(value: CheckValue): boolean {
  return (
    value.kind === "list" && value.items.length > 0 && value.items.every(({ kind }) => kind === "tensor")
  );
}

/** Both tensors of a loss that compares two, where `given` is one of them. */
function comparedWith(caller: Frame, given: Given, bound: Bound): Given | undefined {
  if (caller.declaration !== undefined || given.at !== undefined || bound.tensors.size !== 2)
    return undefined;
  return [...bound.tensors.values()].find((each) => each.span !== given.span);
}

function rankOf({ value }: Given): number {
  return value.kind === "tensor" ? value.type.axes.length : 0;
}

/** What compares numbers, where a loss was given some for classes. */
function numbersInstead(caller: Frame, given: Given, bound: Bound): string[] {
  const other = comparedWith(caller, given, bound);
  if (!other) return [];
  const [out, target] = [textOf(other.span), textOf(given.span)];
  const losses = `\`mse(${out}, ${target})\` or \`huber(${out}, ${target})\``;
  return [`numbers are compared by ${losses}`, "what names a class is declared so: `category`"];
}

/** What compares classes, where a loss was given some for numbers. */
function labelsInstead(caller: Frame, callable: CallableValue, given: Given, bound: Bound): string[] {
  const other = comparedWith(caller, given, bound);
  if (!other || given.value.kind !== "tensor" || given.value.type.element !== "int") return [];
  const { name, tensors } = callable.declaration;
  const [out, target] = [textOf(other.span), textOf(given.span)];
  if (tensors.some(({ type }) => type?.kind === "named-type"))
    return [`the other way round: \`${name.text}(${out}, ${target})\``];
  return rankOf(other) > rankOf(given)
    ? [`classes are compared by \`cross_entropy(${out}, ${target})\``]
    : [`two classes as the numbers 0 and 1: \`bce(${out}, float(${target}))\``];
}

function reportPack(
  caller: Frame,
  callable: CallableValue,
  given: Given,
  misfit: Extract<Misfit, { kind: "pack" }>,
  bound: Bound,
): void {
  const { session, solver } = caller.elaboration;
  const other = otherTensor(bound, misfit.from, solver.show);
  const longer = other && other.axes.length > misfit.given.axes.length ? other : undefined;
  const one =
    misfit.axis && dim.constantOf(misfit.axis.size.dim) === 1
      ? misfit.axis
      : longer?.axes.find((axis) => dim.constantOf(axis.size.dim) === 1);
  const odd = one ?? misfit.axis;
  session.report(caller, differentSizes, {
    span: given.span,
    name: callable.declaration.name.text,
    this: showType(misfit.given, solver.show),
    other: other ?? { span: given.span, text: "another size", axes: [] },
    origins: odd
      ? originLabels(one ? "the axis of size 1" : solver.show(odd.size.dim), odd.size.origin, [
          given.span,
          ...(other ? [other.span] : []),
        ])
      : [],
    one: one !== undefined,
  });
}

/** The tensor of another parameter, as it was given. */
function otherTensor(
  bound: Bound,
  parameter: string | undefined,
  show: (size: dim.Dim) => string,
):
  | {
      readonly span: Span;
      readonly text: string;
      readonly axes: Extract<CheckValue, { kind: "tensor" }>["type"]["axes"];
    }
  | undefined {
  const given = parameter === undefined ? undefined : bound.tensors.get(parameter);
  if (given?.value.kind !== "tensor") return undefined;
  const { value } = given;
  return { span: given.span, text: showType(value.type, show), axes: value.type.axes };
}

/** Where a tensor's last size was written, for "holds floats". */
function originOf(value: Extract<CheckValue, { kind: "tensor" }>): Span | undefined {
  const last = value.type.axes.at(-1);
  return last && nearestSpans(last.size.origin, 1)[0];
}

/** `r.a` for each part that can be taken of it. */
function partsOf({ fields }: RecordValue, { span }: Given): readonly string[] {
  const name = /^[a-z_]\w*$/.exec(textOf(span))?.[0];
  const parts = [...fields.keys()].map((field) => `\`${name ?? "all"}.${field}\``).join(" or ");
  return [`${name === undefined ? "name it, `all = ...`, and " : ""}take one of its parts: ${parts}`];
}
