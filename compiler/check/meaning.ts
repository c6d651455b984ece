/** What the library's functions say of their results: softmax and sigmoid make probabilities, losses want none. */
import type { Span } from "../../grammar/source.ts";
import type { Bound } from "./arguments.ts";
import { appliedTwice } from "./diagnostics/dlm0501-applied-twice.ts";
import type { Frame } from "./frame.ts";
import { userSpan } from "./frame.ts";
import { biasOf, lintStage } from "./lints/stages.ts";
import { isUserSpan } from "./origin.ts";
import type { CallableValue, CheckValue } from "./values.ts";

const probabilities: ReadonlySet<string> = new Set(["softmax", "sigmoid", "log_softmax"]);

/** What a loss applies to its logits by itself. */
const applies: Readonly<Record<string, string>> = {
  cross_entropy: "softmax",
  weighted_cross_entropy: "softmax",
  kl: "softmax",
  ctc: "softmax",
  bce: "sigmoid",
  focal: "sigmoid",
};

function isLibrary(callable: CallableValue): boolean {
  return !isUserSpan(callable.declaration.span);
}

export function meaningOf(
  frame: Frame,
  callable: CallableValue,
  bound: Bound,
  result: CheckValue,
  span: Span,
): CheckValue {
  if (!isLibrary(callable)) return result;
  lintStage(frame, callable, bound);
  const name = callable.declaration.name.text;
  const wants = applies[name];
  const logits = bound.tensors.get("logits") ?? (name === "softmax" ? bound.tensors.get("x") : undefined);
  if ((wants || name === "softmax") && logits?.value.kind === "tensor" && logits.value.probability) {
    const { by, span: earlier } = logits.value.probability;
    // softmax of log_softmax is softmax: once too often, and no mistake
    if (by === "log_softmax" ? wants === "sigmoid" : wants !== undefined || by === "softmax")
      frame.elaboration.session.report(frame, appliedTwice, {
        span: callable.span,
        name,
        applies: wants ?? "softmax",
        by,
        earlier,
      });
  }
  if (result.kind === "tensor" && probabilities.has(name))
    return { ...result, probability: { by: name, span: userSpan(frame, span) } };
  const biased = biasOf(callable, bound, span);
  return biased && result.kind === "tensor" ? { ...result, biased } : result;
}
