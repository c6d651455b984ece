/** Lints of the library's stages, by what they are given: a bias that BatchNorm takes away, a dropout that leaves little. */
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";
import type { Bound } from "../arguments.ts";
import type { Frame } from "../frame.ts";
import { isUserSpan } from "../origin.ts";
import type { CallableValue } from "../values.ts";
import { lostBias } from "./diagnostics/dlm1101-lost-bias.ts";
import { largeDropout } from "./diagnostics/dlm1103-large-dropout.ts";

const dropouts: ReadonlySet<string> = new Set(["dropout", "channel_dropout", "path_dropout"]);

/** From here on a rate is more often the part that should be kept. */
const largeRate = 0.8;

/** Where a library module adds a bias that is learned: its use. */
export function biasOf({ declaration }: CallableValue, bound: Bound, span: Span): Span | undefined {
  if (!declaration.configuration.some(({ name }) => name.text === "bias")) return undefined;
  // a named instance may be used elsewhere too
  if (!textOf(span).startsWith(declaration.name.text)) return undefined;
  const given = bound.configuration.get("bias")?.value;
  return given === undefined || (given.kind === "boolean" && given.value === true) ? span : undefined;
}

/** `callable` is of the library. */
export function lintStage(frame: Frame, { declaration, span }: CallableValue, bound: Bound): void {
  const { session } = frame.elaboration;
  const name = declaration.name.text;
  if (dropouts.has(name)) {
    const rate = bound.configuration.get("rate");
    if (rate?.value.kind === "number" && rate.value.value !== undefined && rate.value.value >= largeRate)
      if (isUserSpan(rate.span))
        session.report(frame, largeDropout, { name, rate: rate.value.value, span: rate.span });
  }
  if (name !== "BatchNorm") return;
  const x = bound.tensors.get("x")?.value;
  const layer = x?.kind === "tensor" ? x.biased : undefined;
  if (layer && isUserSpan(layer) && isNext(layer, span))
    session.report(frame, lostBias, { layer, norm: span, name: /^\w+/.exec(textOf(layer))?.[0] ?? "" });
}

/** Nothing but an arrow and a label stands between: no other stage reads what the first one gives. */
function isNext(first: Span, second: Span): boolean {
  if (first.source !== second.source || second.start < first.end) return false;
  return /^\s*->\s*(\w+\s*:\s*)?$/.test(first.source.text.slice(first.end, second.start));
}
