/** The configuration of one use: what is given, of the kind that its parameter takes, and the defaults of the rest. */
import type { CallableDeclaration, OptimizerDeclaration, Parameter } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import type { Bound } from "./arguments.ts";
import { plainNames } from "./breach.ts";
import type { Given } from "./builtins/builtin.ts";
import { missingConfiguration } from "./diagnostics/dlm0109-missing-configuration.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { evaluate } from "./evaluate.ts";
import { namesIn } from "./flow/names-in.ts";
import type { Frame } from "./frame.ts";
import { isCapital } from "./lookup.ts";
import { whyNoSize } from "./sizes.ts";
import { kindInWords } from "./values.ts";
import type { CheckValue } from "./values.ts";

type Declared = CallableDeclaration | OptimizerDeclaration;

/** Binds it by name in the locals of `inner`, where a default may use the parameters before it; false after a message. */
export function bindConfiguration(
  inner: Frame,
  caller: Frame,
  declaration: Declared,
  bound: Bound,
  span: Span,
): boolean {
  const missing: string[] = [];
  for (const parameter of declaration.configuration) {
    const name = parameter.name.text;
    const given = bound.configuration.get(name);
    if (given && !takes(inner, caller, declaration, parameter, given)) return false;
    if (given) inner.locals.values.set(name, asArgument(given, name));
    else if (parameter.default) inner.locals.values.set(name, ownValue(evaluate(inner, parameter.default)));
    else missing.push(name);
  }
  if (missing.length === 0) return true;
  inner.elaboration.session.report(caller, missingConfiguration, {
    span,
    name: declaration.name.text,
    missing,
    parameters: declaration.configuration.map((parameter) => ({
      name: parameter.name.text,
      optional: parameter.default !== undefined,
    })),
    declared: declaration.name.span,
  });
  return false;
}

/** Whether a parameter takes a value of this kind, told from its default and from what the signature does with it. */
function takes(
  inner: Frame,
  caller: Frame,
  declaration: Declared,
  parameter: Parameter,
  { value, span }: Given,
): boolean {
  const wrong = (expected: string, found: string): false => {
    inner.elaboration.session.report(caller, unfit, {
      span,
      expected: `${expected} for \`${parameter.name.text}\` of \`${declaration.name.text}\``,
      found,
      helps: [],
    });
    return false;
  };
  const expected = kindOf(inner, declaration, parameter);
  if (value.kind === "unknown" || expected === undefined) return true;
  if (!expected.kinds.includes(value.kind)) return wrong(expected.words, kindInWords(value));
  // a capital parameter is a dim
  const isDim = expected === aNumber && isCapital(parameter.name.text) && value.kind === "number";
  if (!isDim || value.value === undefined || (Number.isInteger(value.value) && value.value >= 0)) return true;
  return wrong("a size", whyNoSize(value.value));
}

interface ExpectedKind {
  readonly words: string;
  readonly kinds: readonly CheckValue["kind"][];
}

const aSwitch: ExpectedKind = { words: "`true` or `false`", kinds: ["boolean"] };
/** one that is known only when the program runs is refused where it matters: a rate may be one, a size may not */
const aNumber: ExpectedKind = { words: "a number", kinds: ["number", "tensor"] };
/** a rate may follow a schedule */
const aRate: ExpectedKind = {
  words: "a number or a schedule",
  kinds: [...aNumber.kinds, "callable", "builtin", "composition"],
};
const aStage: ExpectedKind = {
  words: "a function or a module",
  kinds: ["callable", "builtin", "composition", "instance", "rearrange"],
};
/** `~` takes a function of a shape, and a number */
const aStart: ExpectedKind = {
  words: "an initialiser or a number",
  kinds: [...aStage.kinds, "number", "tensor"],
};

function kindOf(inner: Frame, declaration: Declared, parameter: Parameter): ExpectedKind | undefined {
  const name = parameter.name.text;
  const number = declaration.kind === "optimizer" ? aRate : aNumber;
  if (!parameter.default) return isSize(declaration, name) ? number : undefined;
  if (parameter.default.kind === "boolean") return aSwitch;
  const value = evaluate({ ...inner, muted: true }, parameter.default);
  if (value.kind === "number") return number;
  if (value.kind === "callable" || value.kind === "builtin")
    return isInitialiser(declaration, name) ? aStart : aStage;
  return undefined;
}

/** Whether the signature or a weight has it as a size, or `where` compares it. */
function isSize(declaration: Declared, name: string): boolean {
  if (declaration.where.some((clause) => plainNames(clause).includes(name))) return true;
  if (declaration.kind === "optimizer") return false;
  const sizes = [
    declaration.result,
    ...declaration.tensors.map(({ type }) => type),
    ...declaration.body.statements.flatMap((each) => (each.kind === "weight" ? [each.type] : [])),
  ];
  return namesIn(sizes).has(name);
}

/** What stands behind `~`; modules that pass it on call it `init`. */
function isInitialiser({ body }: Declared, name: string): boolean {
  const starts = body.statements.flatMap((each) =>
    each.kind === "weight" && each.value.kind === "name" ? [each.value.text] : [],
  );
  return name === "init" || starts.includes(name);
}

/** Where its value was given becomes known to messages. */
export function asArgument(given: Given, name: string): CheckValue {
  const { value } = given;
  if (value.kind !== "number") return value;
  return {
    ...value,
    label: undefined,
    origin: { kind: "argument", span: given.span, name, from: value.origin },
  };
}

function ownValue(value: CheckValue): CheckValue {
  return value.kind === "number" ? { ...value, label: undefined } : value;
}
