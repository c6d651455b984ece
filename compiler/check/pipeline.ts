/** Pipelines: a value and the stages it goes through; without a value, a composition that waits for one. */
import type { Expression, Name, PipelineExpression, Stage } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import { usesPiped } from "./arguments.ts";
import { binary } from "./arithmetic.ts";
import { evaluateBody } from "./body.ts";
import type { Given } from "./builtins/builtin.ts";
import { applyCallable, evaluateCall } from "./call.ts";
import { applyBranch, applyFor, applyIf, applyRecompute, applyRepeat, applyResidual } from "./control.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { evaluate } from "./evaluate.ts";
import { innerScope, phaseAt, withPath } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { applyInstance } from "./instance.ts";
import { claim, labelledScope } from "./paths.ts";
import { applyRearrange } from "./rearrange.ts";
import { recordRow } from "./rows.ts";
import { isStage, kindInWords, unknown } from "./values.ts";
import type { CheckValue, CompositionValue, StageValue } from "./values.ts";

export function evaluatePipeline(frame: Frame, pipeline: PipelineExpression): CheckValue {
  const { head } = pipeline;
  if (head.kind !== "value") return composition(frame, [head, ...pipeline.stages], pipeline.span);
  if (waits(head.value)) return composition(frame, [head, ...pipeline.stages], pipeline.span);
  const value = evaluate(frame, head.value);
  if (isStage(value)) {
    // a single name stays what it is: `look = Dense(4)`
    if (pipeline.stages.length === 0 && !head.label) return value;
    return composition(frame, [head, ...pipeline.stages], pipeline.span);
  }
  // a configuration parameter of a module that is checked alone may be a module
  if (value.kind === "number" && value.open) return unknown;
  if (frame.recording) recordRow(frame, head.span, undefined, value, undefined);
  return through(frame, pipeline.stages, value, head.span);
}

/** Blocks that take their input from the stage before. */
function waits(expression: Expression): boolean {
  const { kind } = expression;
  return (
    kind === "residual" || kind === "branch" || kind === "repeat" || kind === "for" || kind === "recompute"
  );
}

function composition(frame: Frame, stages: readonly Stage[], span: Span): CompositionValue {
  return { kind: "composition", stages, frame, span };
}

/** The value after all stages; each stage is where a mistake of its own ends. */
export function through(frame: Frame, stages: readonly Stage[], start: CheckValue, span: Span): CheckValue {
  let value = start;
  let at = span;
  for (const stage of stages) {
    const before = frame.recording ? frame.elaboration.builder?.nodes.length : undefined;
    value = applyStage(frame, { value, span: at, expression: undefined, alias: undefined }, stage);
    at = stage.span;
    if (frame.recording) recordRow(frame, stage.span, stage.label?.text, value, before);
  }
  return value;
}

function applyStage(frame: Frame, input: Given, stage: Stage): CheckValue {
  switch (stage.kind) {
    case "operator": {
      const operand = evaluate({ ...frame, piped: input.value }, stage.operand);
      if (input.value.kind === "unknown") return unknown;
      return binary(frame, stage.operator, stage.operatorSpan, input.value, operand, stage.span);
    }
    case "block": {
      const only = stage.body.statements.length === 1;
      const path = stage.label
        ? labelledScope(frame, stage.label, only && isSingle(frame, stage.body.statements[0]!))
        : frame.path;
      if (!path) return unknown;
      const inner = innerScope(withPath(frame, path));
      return evaluateBody(inner, stage.body, input) ?? unknown;
    }
    case "value":
      return applyExpression(frame, input, stage.value, stage.label);
  }
}

/** A block whose only content is one module without a label of its own. */
export function isSingle(frame: Frame, statement: { readonly kind: string }): boolean {
  const each = statement as { readonly kind: string; readonly value?: Expression };
  const expression = each.kind === "expression" ? each.value : undefined;
  if (!expression) return false;
  const name =
    expression.kind === "name"
      ? expression
      : expression.kind === "call" && expression.callee.kind === "name"
        ? expression.callee
        : undefined;
  if (!name) return false;
  const quiet = { ...frame, muted: true };
  const value = evaluate(quiet, name);
  return (
    value.kind === "callable" && (value.declaration.kind === "module" || value.declaration.kind === "model")
  );
}

/** A stage that is an expression: `Dense(64)`, `softmax over S`, `residual { ... }`, `f(_)`. */
export function applyExpression(
  frame: Frame,
  input: Given,
  expression: Expression,
  label: Name | undefined,
): CheckValue {
  const inside: Frame = { ...frame, piped: input.value };
  switch (expression.kind) {
    case "residual":
      return applyResidual(frame, input, expression, label);
    case "branch":
      return applyBranch(frame, input, expression, label);
    case "repeat":
      return applyRepeat(frame, input, expression, label);
    case "for":
      return applyFor(frame, input, expression, label);
    case "recompute":
      return applyRecompute(frame, input, expression, label);
    case "if":
      return applyIf(frame, input, expression, label);
    case "call":
      return evaluateCall(inside, expression, undefined, { input, label });
    case "over":
      if (expression.base.kind === "call") {
        const over = { items: expression.axes, span: expression.axesSpan, frame };
        return evaluateCall(inside, expression.base, { over, span: expression.span }, { input, label });
      }
      break;
    default:
  }
  const value = evaluate(inside, expression);
  // a configuration parameter of a module that is checked alone may be a module
  if (value.kind === "unknown" || (value.kind === "number" && value.open)) return unknown;
  if (isStage(value)) return applyValue(frame, input, value, label, expression.span);
  if (usesPiped(expression)) return value;
  frame.elaboration.session.report(frame, unfit, {
    span: expression.span,
    expected: "a function or a module after `->`",
    found: kindInWords(value),
    helps: value.kind === "tensor" ? [`-> + ${textOf(expression.span)}`] : [],
  });
  return unknown;
}

export function applyValue(
  frame: Frame,
  input: Given,
  value: StageValue,
  label: { readonly text: string; readonly span: Span } | undefined,
  span: Span,
): CheckValue {
  switch (value.kind) {
    case "callable":
    case "builtin":
      return applyCallable(frame, value, input, label, span);
    case "instance":
      if (label && !claim(frame, frame.path, label, {})) return unknown;
      return applyInstance(frame, value, [input], span);
    case "rearrange":
      if (label && !claim(frame, frame.path, label, {})) return unknown;
      return applyRearrange(value.frame, input, value.expression, frame);
    case "composition": {
      const path = label ? labelledScope(frame, label, false) : frame.path;
      if (!path) return unknown;
      return applyComposition(frame, input, value, path);
    }
  }
}

/** Stages are read where they were written, and their weights lie where they are applied. */
export function applyComposition(
  frame: Frame,
  input: Given,
  value: CompositionValue,
  path: Frame["path"],
): CheckValue {
  const inner: Frame = {
    ...value.frame,
    path,
    phase: phaseAt(frame, path),
    call: frame.call,
    muted: frame.muted || value.frame.muted,
    recording: false,
    changing: frame.changing,
    yields: undefined,
  };
  return through(inner, value.stages, input.value, input.span);
}
