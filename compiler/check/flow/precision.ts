/** `precision`: the number type of what a model computes, and the constants in it that f16 cannot hold. */
import { report } from "../../../grammar/diagnostic.ts";
import type { Diagnostic } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import { tensorAttribute } from "../../ir/attribute.ts";
import { isNode } from "../../ir/graph.ts";
import type { Node, Value } from "../../ir/graph.ts";
import { loopOf } from "../../ir/loop.ts";
import { valuesBehind } from "../../ir/reach.ts";
import { masked } from "../builtins/tokens.ts";
import type { Session } from "../session.ts";
import type { CheckValue } from "../values.ts";
import { f16CannotHold } from "./diagnostics/dlm0305-f16-cannot-hold.ts";
import { computedInF32 } from "./diagnostics/dlm0706-computed-in-f32.ts";
import type { TrainPlan } from "./plans.ts";
import { word } from "./settings.ts";
import type { CallSetting, FlowContext } from "./settings.ts";
import { spanOf } from "./train-checks.ts";

/** `mixed` is another name of `f16`, which leaves weights, sums and losses in f32. */
export function precisionOf(setting: CallSetting | undefined, context: FlowContext): TrainPlan["precision"] {
  if (setting === undefined) return "f32";
  const { arguments: given, span } = setting;
  const written = word("precision", given[0]?.value, ["f32", "f16", "mixed"], span, context);
  return written === "f16" || written === "mixed" ? "f16" : "f32";
}

/** DLM0305 for constants behind what the model gives; where there are none, DLM0706: the only target computes in f32. */
export function checkPrecision(
  session: Session,
  setting: CallSetting | undefined,
  precision: TrainPlan["precision"],
  out: CheckValue | undefined,
): void {
  const written = setting?.arguments[0]?.value.span;
  if (precision === "f32" || !written) return;
  const found = new Map<string, Diagnostic>();
  for (const { attributes, origin } of constantsBehind(valuesOf(out))) {
    const { dtype, data } = tensorAttribute(attributes, "value");
    const span = spanOf(session, origin.at);
    if (dtype !== "f32" || !span) continue;
    const value = data.find((each) => !isHeld(each));
    if (value !== undefined)
      found.set(`${span.start} ${value}`, report(f16CannotHold, { value, span, precision: written }));
  }
  const note = report(computedInF32, { span: written, written: textOf(written) });
  for (const diagnostic of found.size > 0 ? found.values() : [note]) session.add(diagnostic);
}

/** Half the smallest number above 0, and what is nearer to 2^16 than to the largest number. */
const [tooSmall, tooLarge] = [2 ** -25, 65_520];

/** Masks have a number of their own in f16. */
function isHeld(value: number): boolean {
  const size = Math.abs(value);
  return value === 0 || value === masked || (size > tooSmall && size < tooLarge);
}

function valuesOf(out: CheckValue | undefined): Value[] {
  if (out?.kind === "tensor") return out.value ? [out.value] : [];
  return out?.kind === "record" ? [...out.fields.values()].flatMap(valuesOf) : [];
}

/** Those in the steps of loops too. */
function constantsBehind(values: readonly Value[]): readonly Node[] {
  const nodes = new Set([...valuesBehind(values)].flatMap(({ source }) => (isNode(source) ? [source] : [])));
  const inside = (node: Node): readonly Node[] => {
    const loop = loopOf(node);
    return loop ? loop.body.nodes.flatMap(inside) : node.op.name === "constant" ? [node] : [];
  };
  return [...nodes].flatMap(inside);
}
