/** Which argument goes to which parameter: configuration and tensors, by position and by name. */
import type {
  Argument,
  CallableDeclaration,
  Expression,
  OptimizerDeclaration,
  Parameter,
} from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import type { BuiltinParameter, Given } from "./builtins/builtin.ts";
import { mixedUp } from "./diagnostics/dlm0110-mixed-up.ts";
import { nameTaken } from "./diagnostics/dlm0105-name-taken.ts";
import { noParameter } from "./diagnostics/dlm0102-no-parameter.ts";
import { tooMany } from "./diagnostics/dlm0111-too-many-arguments.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { nearest } from "./names.ts";
import { otherParameter } from "./other-names.ts";
import type { CallableValue, BuiltinValue, CheckValue } from "./values.ts";

export interface Named extends Given {
  readonly name: { readonly text: string; readonly span: Span } | undefined;
}

export interface Callee {
  readonly name: string;
  readonly kind: "module" | "model" | "fn" | "op" | "builtin";
  readonly configuration: readonly BuiltinParameter[];
  readonly tensors: readonly BuiltinParameter[];
  /** `Conv(Out, size, stride = 1)` */
  readonly signature: string;
}

export interface Bound {
  readonly configuration: ReadonlyMap<string, Given>;
  readonly tensors: ReadonlyMap<string, Given>;
  readonly rest: readonly Given[];
}

export function calleeOf(value: CallableValue | BuiltinValue): Callee {
  if (value.kind === "builtin") {
    const { name, configuration, tensors, signature } = value.builtin;
    return { name, kind: "builtin", configuration, tensors, signature };
  }
  const { declaration } = value;
  const parameters = (list: typeof declaration.tensors): BuiltinParameter[] =>
    list.map((parameter) => ({
      name: parameter.name.text,
      ...(parameter.default ? { optional: true as const } : {}),
    }));
  return {
    name: declaration.name.text,
    kind: declaration.kind,
    configuration: parameters(declaration.configuration),
    tensors: parameters(declaration.tensors),
    get signature() {
      return signatureOf(declaration);
    },
  };
}

export function signatureOf(declaration: CallableDeclaration | OptimizerDeclaration): string {
  const list = (parameters: readonly Parameter[]): string =>
    `(${parameters.map((parameter) => textOf(parameter.span)).join(", ")})`;
  const configuration = declaration.configuration.length > 0 ? list(declaration.configuration) : "";
  return declaration.kind === "optimizer" || (declaration.kind === "module" && configuration !== "")
    ? `${declaration.name.text}${configuration}`
    : `${declaration.name.text}${configuration}${list(declaration.tensors)}`;
}

export function evaluateArguments(frame: Frame, list: readonly Argument[]): Named[] {
  return list.map((argument) => ({
    name: argument.name,
    value: evaluate(frame, argument.value),
    span: argument.value.span,
    expression: argument.value,
    alias: argument.alias?.text,
  }));
}

/** Whether `_` stands in it, for the value that is piped in (not inside stages of a pipeline of its own). */
export function usesPiped(expression: Expression): boolean {
  switch (expression.kind) {
    case "name":
      return expression.text === "_";
    case "binary":
      return usesPiped(expression.left) || usesPiped(expression.right);
    case "unary":
      return usesPiped(expression.operand);
    case "call":
      return (
        usesPiped(expression.callee) || expression.arguments.some((argument) => usesPiped(argument.value))
      );
    case "brackets":
    case "member":
    case "over":
      return usesPiped(expression.base);
    case "tuple":
      return expression.elements.some((element) => usesPiped(element.value));
    case "pipeline":
      return expression.head.kind === "value" && usesPiped(expression.head.value);
    default:
      return false;
  }
}

function isTensorLike(value: CheckValue): boolean {
  return value.kind === "tensor" || value.kind === "record";
}

/** A number that is known only when the program runs may be configuration of a builtin: `uniform(-limit, limit)`. */
function opensTensors(callee: Callee, value: CheckValue): boolean {
  if (callee.kind === "builtin" && value.kind === "tensor" && value.type.axes.length === 0) return false;
  return isTensorLike(value);
}

/**
 * Arguments by parameter; undefined after a message. Arguments without a name are configuration where the callee has
 * any and the first of them is no tensor; else they are tensors.
 */
export function bindArguments(
  frame: Frame,
  callee: Callee,
  list: readonly Named[],
  before: Bound,
  piped: Given | undefined,
): Bound | undefined {
  const { session } = frame.elaboration;
  const configuration = new Map(before.configuration);
  const tensors = new Map(before.tensors);
  const rest = [...before.rest];
  const unnamed = list.filter((each) => each.name === undefined);
  const asTensors =
    callee.configuration.length === 0 || (unnamed[0] !== undefined && opensTensors(callee, unnamed[0].value));
  if (callee.kind === "module") {
    const tensor = unnamed.find((each) => isTensorLike(each.value));
    if (tensor) {
      session.report(frame, mixedUp, {
        span: tensor.span,
        name: callee.name,
        signature: callee.signature,
        stage: `${textOf(tensor.span)} -> ${callee.name}${list.length === 1 ? "" : "(...)"}`,
      });
      return undefined;
    }
  }
  for (const each of list) {
    if (!each.name) continue;
    const { text } = each.name;
    const first = list.find((other) => other.name?.text === text)!;
    if (first !== each) {
      session.report(frame, nameTaken, {
        span: each.name.span,
        name: text,
        first: first.name!.span,
        path: undefined,
        argument: true,
      });
      return undefined;
    }
    if (callee.configuration.some((parameter) => parameter.name === text)) configuration.set(text, each);
    else if (callee.tensors.some((parameter) => parameter.name === text)) tensors.set(text, each);
    else {
      const known = [...callee.configuration, ...callee.tensors].map((parameter) => parameter.name);
      session.report(frame, noParameter, {
        span: each.name.span,
        callee: callee.name,
        name: text,
        signature: callee.signature,
        near: meantParameter(text, known),
        open: callee.configuration
          .slice(asTensors ? 0 : unnamed.length)
          .filter((parameter) => !parameter.optional)
          .map((parameter) => parameter.name)
          .filter((name) => !list.some((other) => other.name?.text === name)),
      });
      return undefined;
    }
  }
  if (piped) {
    const first = callee.tensors[0];
    if (first?.rest) rest.push(piped);
    else if (first && !tensors.has(first.name)) tensors.set(first.name, piped);
    else if (first) {
      const free = callee.tensors.find((parameter) => !tensors.has(parameter.name));
      if (free) tensors.set(free.name, piped);
    }
  }
  const group = asTensors ? tensors : configuration;
  const parameters = asTensors ? callee.tensors : callee.configuration;
  for (const each of unnamed) {
    const isTaken = ({ name }: BuiltinParameter): boolean => {
      const given = list.find((other) => other.name?.text === name);
      // one that is named behind this place is not passed over: both are meant for it
      return given ? given.span.start < each.span.start : group.has(name);
    };
    const next = parameters.find((parameter) => parameter.rest || !isTaken(parameter));
    const again = next && !next.rest ? list.find((other) => other.name?.text === next.name) : undefined;
    if (again) {
      session.report(frame, nameTaken, {
        span: again.name!.span,
        name: next!.name,
        first: each.span,
        path: undefined,
        argument: true,
      });
      return undefined;
    }
    if (next?.rest) rest.push(each);
    else if (next) group.set(next.name, each);
    else {
      session.report(frame, tooMany, {
        span: each.span,
        callee: callee.name,
        signature: callee.signature,
        takes: parameters.length,
        what: asTensors ? "tensor" : "configuration argument",
      });
      return undefined;
    }
  }
  return { configuration, tensors, rest };
}

/** What another framework calls so, else the nearest parameters. */
function meantParameter(name: string, known: readonly string[]): readonly string[] {
  const other = otherParameter(name, known);
  return other === undefined ? nearest(name, known) : [other];
}

/** Whether all tensors that must be given are there. */
export function isComplete(callee: Callee, bound: Bound): boolean {
  return callee.tensors.every(
    (parameter) =>
      parameter.optional || (parameter.rest ? bound.rest.length > 0 : bound.tensors.has(parameter.name)),
  );
}

export const nothingBound: Bound = { configuration: new Map(), tensors: new Map(), rest: [] };
