/** Named instances: their weights lie under their name, wherever and however often they are applied. */
import type { Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import type { Given } from "./builtins/builtin.ts";
import { bindArguments, calleeOf } from "./arguments.ts";
import { boundBefore, runValue } from "./call.ts";
import { applyRepeat } from "./control.ts";
import { tooMany } from "./diagnostics/dlm0111-too-many-arguments.ts";
import { unknownName } from "./diagnostics/dlm0101-unknown-name.ts";
import { pathScope, withPath } from "./frame.ts";
import type { Frame } from "./frame.ts";
import { nearest } from "./names.ts";
import { claim } from "./paths.ts";
import { applyComposition } from "./pipeline.ts";
import { unknown } from "./values.ts";
import type { CallableValue, CheckValue, CompositionValue, InstanceValue, TensorValue } from "./values.ts";
import type { Axis } from "./type.ts";

/** `look(a)`, `a -> look` */
export function applyInstance(
  frame: Frame,
  instance: InstanceValue,
  inputs: readonly Given[],
  span: Span,
): CheckValue {
  if (inputs.some((each) => each.value.kind === "unknown")) {
    frame.elaboration.poisoned.add(instance.identity);
    return unknown;
  }
  if (!claim(frame, instance.scope, { text: instance.name, span: instance.span }, instance.identity))
    return unknown;
  const path = pathScope(`${instance.scope.prefix}${instance.name}.`, instance.target.kind === "callable");
  const inner = withPath(frame, path);
  const { target } = instance;
  const [input] = inputs;
  if (target.kind === "composition") {
    if (!input) return unknown;
    if (inputs.length > 1) {
      frame.elaboration.session.report(frame, tooMany, {
        span: inputs[1]!.span,
        callee: instance.name,
        signature: `${instance.name}(x)`,
        takes: 1,
        what: "tensor",
      });
      return unknown;
    }
    const [only] = target.stages;
    if (target.stages.length === 1 && only?.kind === "value" && only.value.kind === "repeat" && !only.label)
      return applyRepeat(
        { ...target.frame, phase: frame.phase, call: frame.call },
        input,
        only.value,
        undefined,
        path,
      );
    return applyComposition(inner, input, target, path);
  }
  const callee = calleeOf(target);
  const named = inputs.map((each) => ({ ...each, name: undefined }));
  const bound = bindArguments(
    inner,
    { ...callee, kind: "fn", configuration: [] },
    named.slice(1),
    boundBefore(target),
    input,
  );
  return bound ? runValue(inner, target, bound, undefined, span) : unknown;
}

/** `wte.table`: a weight of a named instance that has been used already. */
export function instanceMember(
  frame: Frame,
  base: InstanceValue | CallableValue | CompositionValue,
  expression: Extract<Expression, { kind: "member" }>,
): CheckValue {
  const { elaboration } = frame;
  const { text, span } = expression.name;
  if (base.kind !== "instance") {
    elaboration.session.report(frame, unknownName, {
      span,
      name: text,
      what: "part",
      where: ` in ${textOf(expression.base.span)}: only a named instance has weights to read`,
      near: [],
    });
    return unknown;
  }
  const prefix = `${base.scope.prefix}${base.name}.`;
  const entry = elaboration.requested.get(requestKey(frame.model, `${prefix}${text}`));
  if (entry) {
    const axes = outerAxes(frame, entry.frame, entry.request.type.axes);
    const tensor: TensorValue = {
      kind: "tensor",
      type: { ...entry.request.type, axes },
      value: entry.value,
      span: expression.span,
      learned: entry.state ? undefined : entry.request.span,
    };
    return tensor;
  }
  if (elaboration.poisoned.has(base.identity)) return unknown;
  const below = [...elaboration.requested.values()]
    .map(({ request }) => request.path)
    .filter((path) => path.startsWith(prefix))
    .map((path) => path.slice(prefix.length).split(".")[0]!);
  if (below.includes(text)) return { ...base, scope: pathScope(prefix), name: text };
  elaboration.session.report(frame, unknownName, {
    span,
    name: text,
    what: "weight",
    where: ` in ${base.name}${below.length === 0 ? " yet: it must be used above this line" : ""}`,
    near: nearest(text, below),
  });
  return unknown;
}

export function requestKey(model: string, path: string): string {
  return `${model}:${path}`;
}

/** Labels of a weight as the body of `frame` knows its axes. */
function outerAxes(frame: Frame, owner: Frame, axes: readonly Axis[]): readonly Axis[] {
  let result = axes;
  for (let at: Frame | undefined = owner; at && at.activation !== frame.activation; at = at.call?.frame) {
    const { activation } = at;
    result = result.map((axis) => ({
      label: axis.label === undefined ? undefined : activation.outerLabel(axis.label),
      size: axis.size,
    }));
  }
  return result;
}
