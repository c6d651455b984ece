/** Which axes of a tensor `over` means. */
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import { axisMissing } from "./diagnostics/dlm0403-no-such-axis.ts";
import { overNeeded } from "./diagnostics/dlm0402-over-needed.ts";
import { sameLabelTwice } from "./diagnostics/dlm0404-same-label-twice.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import type { Frame } from "./frame.ts";
import { nearest } from "./names.ts";
import { originLabels } from "./origin.ts";
import { axisName } from "./signature.ts";
import { showType } from "./type.ts";
import type { CheckType } from "./type.ts";
import type { OverAxes } from "./values.ts";

/** Places of the axes, rising; undefined after a message. `span` is the tensor. */
export function resolveOver(frame: Frame, over: OverAxes, type: CheckType, span: Span): number[] | undefined {
  const { session, solver } = frame.elaboration;
  const places = new Set<number>();
  for (const item of over.items) {
    if (item.kind === "pack") {
      const name = item.name?.text ?? "";
      const pack = over.frame.packs.get(name);
      if (name === "" && (!pack || over.items.length === 1)) {
        type.axes.forEach((_, i) => places.add(i));
        continue;
      }
      if (!pack) {
        session.report(frame, axisMissing, {
          span: item.span,
          axis: textOf(item.span),
          type: showType(type, solver.show),
          near: [],
          axes: labelsOf(type),
          tensor: span,
        });
        return undefined;
      }
      for (const axis of pack) {
        const place = type.axes.findIndex((each) => each.label === axis.label);
        if (place >= 0) places.add(place);
      }
      continue;
    }
    const label = axisName(item);
    if (label === undefined) {
      session.report(frame, unfit, {
        span: item.span,
        expected: "the name of an axis",
        found: "something else",
        helps: [],
      });
      return undefined;
    }
    const found = placesOf(label, type);
    if (found.length > 1) {
      session.report(frame, sameLabelTwice, {
        span: item.span,
        label,
        type: showType(type, solver.show),
        origins: found.flatMap((i) => originLabels(`one ${label}`, type.axes[i]!.size.origin, [item.span])),
      });
      return undefined;
    }
    if (found.length === 0) {
      session.report(frame, axisMissing, {
        span: item.span,
        axis: label,
        type: showType(type, solver.show),
        near: nearest(label, labelsOf(type)),
        axes: labelsOf(type),
        unlabelled: type.axes.length >= 2 && type.axes.at(-1)!.label === undefined,
        tensor: span,
      });
      return undefined;
    }
    places.add(found[0]!);
  }
  return [...places].sort((a, b) => a - b);
}

/** `last` is the feature axis: the last one of at least two. */
function placesOf(label: string, type: CheckType): number[] {
  const found = type.axes.flatMap((axis, i) => (axis.label === label ? [i] : []));
  if (label === "last" && found.length === 0 && type.axes.length >= 2) return [type.axes.length - 1];
  return found;
}

export function labelsOf(type: CheckType): string[] {
  return type.axes.flatMap((axis) => {
    const label = axis.shown ?? axis.label;
    return label === undefined ? [] : [label];
  });
}

/** The likeliest axis: the last one, by its name where that is the only one of the name. */
function choiceOf(type: CheckType): string {
  const last = type.axes.at(-1);
  const label = last?.shown ?? last?.label;
  const unique = type.axes.filter((axis) => (axis.shown ?? axis.label) === label).length === 1;
  if (label !== undefined && unique && !label.includes("#")) return label;
  return type.axes.length >= 2 ? "last" : "[..]";
}

/** A reduction without `over`. */
export function reportOverNeeded(frame: Frame, name: string, type: CheckType, span: Span): void {
  frame.elaboration.session.report(frame, overNeeded, {
    span,
    name,
    type: showType(type, frame.elaboration.solver.show),
    axes: labelsOf(type),
    choice: choiceOf(type),
  });
}

export function overNotTaken(frame: Frame, span: Span, name: string): void {
  frame.elaboration.session.report(frame, unfit, {
    span,
    expected: `no axes: \`${name}\` does not work along one`,
    found: "`over`",
    helps: [],
  });
}
