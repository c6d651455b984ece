/** What the builtins share: reading their arguments, and saying what is wrong with them. */
import type { Span } from "../../../grammar/source.ts";
import { asTensor } from "../arithmetic.ts";
import { isFiniteFloat } from "../emit.ts";
import { unfit } from "../diagnostics/dlm0114-unfit-value.ts";
import type { Frame } from "../frame.ts";
import { reportOverNeeded, resolveOver } from "../over.ts";
import { sizeOf } from "../sizes.ts";
import type { Size } from "../type.ts";
import { kindInWords } from "../values.ts";
import type { CheckValue, TensorValue } from "../values.ts";
import type { BuiltinCall, Given } from "./builtin.ts";

/** The tensor argument (a number as one of rank 0); undefined after a message. */
export function tensorArgument(call: BuiltinCall, name: string, builtin: string): TensorValue | undefined {
  const given = call.tensors.get(name);
  return given && tensorOfGiven(call.frame, given, builtin);
}

/** The word `true` where a tensor of true and false may stand: it holds at every element. */
export function isTrue(given: Given | undefined): boolean {
  return given?.value.kind === "boolean" && given.value.value === true;
}

export function tensorOfGiven(frame: Frame, given: Given, builtin: string): TensorValue | undefined {
  if (given.value.kind === "unknown") return undefined;
  const tensor = asTensor(frame, given.value, given.span);
  if (!tensor) refuse(frame, given.span, `a tensor for \`${builtin}\``, kindInWords(given.value));
  return tensor && tensor.span !== given.span && given.value.kind === "tensor"
    ? { ...tensor, span: given.span }
    : tensor;
}

export function refuse(frame: Frame, span: Span, expected: string, found: string): void {
  frame.elaboration.session.report(frame, unfit, { span, expected, found, helps: [] });
}

/** A number known before running; undefined where it is absent or only known to its caller (then `open`). */
export function numberArgument(
  call: BuiltinCall,
  name: string,
  otherwise: number | undefined,
): { readonly value: number | undefined } | undefined {
  const given = call.configuration.get(name);
  if (!given) {
    return otherwise === undefined ? undefined : { value: otherwise };
  }
  if (given.value.kind === "number") {
    if (given.value.value === undefined && !call.frame.elaboration.alone) {
      refuse(call.frame, given.span, "a number known before running", "a size that is free");
      return undefined;
    }
    if (given.value.value !== undefined && !isFiniteFloat(given.value.value)) {
      refuse(call.frame, given.span, "a number that a float can hold", String(given.value.value));
      return undefined;
    }
    return { value: given.value.value };
  }
  if (given.value.kind !== "unknown")
    refuse(call.frame, given.span, "a number known before running", kindInWords(given.value));
  return undefined;
}

export function sizeArgument(
  call: BuiltinCall,
  name: string,
): (Size & { readonly label: string | undefined }) | undefined {
  const given = call.configuration.get(name);
  if (!given) return undefined;
  const size = sizeOf(call.frame, given.value, given.span);
  return size && { ...size, label: given.value.kind === "number" ? given.value.label : undefined };
}

/** Places of the axes that `over` names; undefined after a message, also where it is missing. */
export function overPlaces(call: BuiltinCall, name: string, x: TensorValue): number[] | undefined {
  if (call.over) return resolveOver(call.frame, call.over, x.type, x.span);
  reportOverNeeded(call.frame, name, x.type, call.nameSpan);
  return undefined;
}

export function configurationValue(call: BuiltinCall, name: string): CheckValue | undefined {
  return call.configuration.get(name)?.value;
}
