/** One use of a module, model, fn or op: binds configuration and tensors, checks what it demands, runs its body. */
import type { CallableDeclaration, Parameter } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { checkAlone } from "./alone.ts";
import type { Bound } from "./arguments.ts";
import { evaluateBody } from "./body.ts";
import { listTensor } from "./emit.ts";
import type { Given } from "./builtins/builtin.ts";
import { bindConfiguration } from "./configuration.ts";
import { usesItself } from "./diagnostics/dlm0112-uses-itself.ts";
import { evaluate } from "./evaluate.ts";
import { pathScope, phaseAt } from "./frame.ts";
import type { Activation, Frame } from "./frame.ts";
import { meaningOf } from "./meaning.ts";
import { reportMisfit } from "./misfit.ts";
import { runNotation } from "./notation.ts";
import { reportOverNeeded, resolveOver } from "./over.ts";
import { dimNumber } from "./numbers.ts";
import { moduleScope } from "./paths.ts";
import { conformResult, outerResult } from "./result.ts";
import { bindTensor, emptyBinding } from "./bind-tensor.ts";
import { typeShape } from "./signature.ts";
import type { Binding } from "./bind-tensor.ts";
import { unknown } from "./values.ts";
import type { CallableValue, CheckValue } from "./values.ts";
import { checkWhere } from "./where.ts";

export function invoke(
  frame: Frame,
  value: CallableValue,
  bound: Bound,
  label: { readonly text: string; readonly span: Span } | undefined,
  span: Span,
): CheckValue {
  const { declaration } = value;
  const { elaboration } = frame;
  const inputs = [...bound.tensors.values()];
  if (inputs.some((given) => given.value.kind === "unknown")) return unknown;
  if ([...bound.configuration.values()].some((given) => given.value.kind === "unknown")) return unknown;
  if (isRunning(frame, declaration)) {
    elaboration.session.report(frame, usesItself, {
      span,
      name: declaration.name.text,
      declared: declaration.name.span,
    });
    return unknown;
  }
  const failed = checkAlone(elaboration.session, value.scope, declaration) === "failed";
  const holdsWeights = declaration.kind === "module" || declaration.kind === "model";
  // a workflow block calls models: their weights lie under their own names
  const whole = declaration.kind === "model" && frame.declaration === undefined;
  const path = whole
    ? pathScope("")
    : holdsWeights
      ? moduleScope(frame, declaration.name.text, label)
      : frame.path;
  if (!path) return unknown;
  const over =
    value.over && inputs[0]?.value.kind === "tensor"
      ? resolveOver(frame, value.over, inputs[0].value.type, inputs[0].span)
      : undefined;
  if (value.over && !over) return unknown;
  if (takesOver(declaration) && !value.over) {
    const [first] = inputs;
    if (first?.value.kind === "tensor")
      reportOverNeeded(frame, declaration.name.text, first.value.type, value.span);
    return unknown;
  }
  const binding = emptyBinding(over);
  const inner: Frame = {
    elaboration,
    file: value.scope,
    locals: { values: new Map(), parent: undefined },
    open: declaration.kind === "model",
    declaration,
    model: whole ? declaration.name.text : frame.model,
    path,
    phase: holdsWeights ? phaseAt(frame, path) : frame.phase,
    call: { span, frame },
    activation: activationOf(binding, declaration, bound),
    piped: undefined,
    packs: new Map(),
    muted: frame.muted || failed,
    states: new Map(),
    recording: false,
    changing: false,
    yields: undefined,
  };
  if (!bindConfiguration(inner, frame, declaration, bound, span)) return unknown;
  for (const parameter of declaration.tensors) {
    const given = bound.tensors.get(parameter.name.text);
    if (!bindParameter(inner, frame, binding, value, parameter, given, span, bound)) return unknown;
  }
  if (!checkWhere(inner, declaration, span)) return unknown;
  const body =
    declaration.kind === "op"
      ? runNotation(inner, declaration, span)
      : (evaluateBody(inner, declaration.body) ?? unknown);
  const conformed = conformResult(inner, declaration, body, "use");
  return meaningOf(frame, value, bound, outerResult(inner, binding, conformed, span), span);
}

function isRunning(frame: Frame, declaration: CallableDeclaration): boolean {
  for (let at: Frame | undefined = frame; at; at = at.call?.frame)
    if (at.declaration === declaration) return true;
  return false;
}

/** A fn with a pack `..Over` works along the axes that `over` names. */
export function takesOver(declaration: CallableDeclaration): boolean {
  const type = declaration.tensors[0]?.type;
  return (
    type?.kind === "tensor-type" &&
    type.axes.some((item) => item.kind === "pack" && item.name?.text === "Over")
  );
}

function activationOf(binding: Binding, declaration: CallableDeclaration, bound: Bound): Activation {
  const configuration = new Set(declaration.configuration.map((parameter) => parameter.name.text));
  return {
    outerLabel(label) {
      if (binding.labels.has(label)) return binding.labels.get(label)?.label;
      if (configuration.has(label)) {
        const argument = bound.configuration.get(label)?.value;
        return argument?.kind === "number" ? argument.label : undefined;
      }
      return label.includes("#") ? undefined : label;
    },
  };
}

function bindParameter(
  inner: Frame,
  caller: Frame,
  binding: Binding,
  callable: CallableValue,
  parameter: Parameter,
  bare: Given | undefined,
  span: Span,
  bound: Bound,
): boolean {
  const name = parameter.name.text;
  const { locals } = inner;
  if (!bare) {
    if (parameter.default) locals.values.set(name, evaluate(inner, parameter.default));
    return parameter.default !== undefined;
  }
  const shape = typeShape(inner, parameter.type);
  const listed =
    bare.value.kind === "list" && shape.kind === "tensor"
      ? listTensor(caller, bare.value, bare.span)
      : undefined;
  const given = listed ? { ...bare, value: listed } : bare;
  const { value } = given;
  if (shape.kind !== "tensor") {
    locals.values.set(name, value);
    if (shape.kind === "data") bindBatch(inner, binding, value);
    return true;
  }
  if (value.kind === "number") {
    // a literal number is a target of any shape
    const least = shape.element === "int" && value.value !== undefined ? boundIn(inner, shape) : undefined;
    if (least !== undefined && value.value !== undefined && (value.value < 0 || value.value >= least)) {
      reportMisfit(
        caller,
        callable,
        parameter,
        given,
        { kind: "label", value: value.value, classes: least },
        span,
        bound,
      );
      return false;
    }
    locals.values.set(name, value);
    return true;
  }
  if (value.kind === "boolean" && value.value === true && shape.element === "bool") {
    // holds at every element, whatever the shape
    locals.values.set(name, value);
    return true;
  }
  if (value.kind !== "tensor") {
    reportMisfit(caller, callable, parameter, given, { kind: "kind", value }, span, bound);
    return false;
  }
  const met = bindTensor(inner, binding, parameter, shape, value);
  if ("kind" in met) {
    reportMisfit(caller, callable, parameter, given, met, span, bound);
    return false;
  }
  locals.values.set(name, { ...value, type: met.type });
  return true;
}

/** A row of data stands for a batch of rows: its first axis is the dim B of the signature. */
function bindBatch(inner: Frame, binding: Binding, value: CheckValue): void {
  const [first] = value.kind === "record" ? value.fields.values() : [];
  const axis = first?.kind === "tensor" ? first.type.axes[0] : undefined;
  if (!axis?.label) return;
  inner.locals.values.set(axis.label, dimNumber(axis.size.dim, axis.size.origin));
  binding.labels.set(axis.label, axis);
}

function boundIn(
  inner: Frame,
  shape: Extract<ReturnType<typeof typeShape>, { kind: "tensor" }>,
): number | undefined {
  if (shape.bound?.value.kind !== "name") return undefined;
  const known = inner.locals.values.get(shape.bound.value.text);
  return known?.kind === "number" ? known.value : undefined;
}
