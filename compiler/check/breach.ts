/** A clause of `where` that says which numbers one configuration parameter may be, and a call that gives it another one. */
import type { CallableDeclaration, Expression, OptimizerDeclaration } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { textOf } from "../../grammar/source.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { describeRange } from "./number-range.ts";
import type { NumberRange } from "./number-range.ts";
import { isUserSpan } from "./origin.ts";
import type { SizeOrigin } from "./origin.ts";

export interface Breach {
  readonly parameter: string;
  /** "a number of at least 0 and below 1" */
  readonly needs: string;
  /** what it is here */
  readonly value: number;
  /** "`nesterov`" where it is needed only with that switch on */
  readonly switch: string | undefined;
  /** the argument of the user; undefined where a default breaks it */
  readonly argument: Span | undefined;
}

/** Undefined where the clause speaks of several parameters, of sizes of tensors, or of a number that is not known. */
export function breachOf(
  frame: Frame,
  declaration: CallableDeclaration | OptimizerDeclaration,
  clause: Expression,
): Breach | undefined {
  const [condition, demand] = implication(clause);
  const [parameter, ...others] = plainNames(demand);
  const value = parameter === undefined ? undefined : frame.locals.values.get(parameter);
  if (others.length > 0 || value?.kind !== "number" || value.value === undefined) return undefined;
  if (!declaration.configuration.some(({ name }) => name.text === parameter)) return undefined;
  // all that is said of the parameter under the same condition
  const limits = declaration.where.flatMap((each) => {
    const [under, said] = implication(each);
    return under === condition && plainNames(said).every((name) => name === parameter)
      ? (limitOf(frame, said) ?? [])
      : [];
  });
  if (!limitOf(frame, demand)) return undefined;
  return {
    parameter: parameter!,
    needs: describeRange(Object.assign({}, ...limits) as NumberRange),
    value: value.value,
    switch: condition,
    argument: argumentOf(value.origin),
  };
}

/** `not causal or 1 <= max`: with causal, 1 <= max. */
function implication(clause: Expression): readonly [condition: string | undefined, demand: Expression] {
  if (clause.kind !== "binary" || clause.operator !== "or") return [undefined, clause];
  const { left, right } = clause;
  const isSwitch = left.kind === "unary" && left.operator === "not" && left.operand.kind === "name";
  return isSwitch ? [textOf(left.operand.span), right] : [undefined, clause];
}

const fromLeft = { "<=": "most", "<": "below", ">=": "least", ">": "above" } as const;
const fromRight = { "<=": "least", "<": "above", ">=": "most", ">": "below" } as const;

/** `0 <= rate`, `rate < 1`, `floor(ignore) == ignore` */
function limitOf(frame: Frame, clause: Expression): NumberRange | undefined {
  if (clause.kind !== "binary") return undefined;
  const { left, operator, right } = clause;
  if (operator === "==") return isFloorOf(left, right) ? { whole: true } : undefined;
  if (operator !== "<=" && operator !== "<" && operator !== ">=" && operator !== ">") return undefined;
  const [side, limit] =
    left.kind === "name"
      ? [fromLeft[operator], right]
      : right.kind === "name"
        ? [fromRight[operator], left]
        : [];
  if (side === undefined || limit === undefined || plainNames(limit).length > 0) return undefined;
  const value = evaluate(frame, limit);
  return value.kind === "number" && value.value !== undefined ? { [side]: value.value } : undefined;
}

function isFloorOf(left: Expression, right: Expression): boolean {
  return left.kind === "call" && textOf(left.span) === `floor(${textOf(right.span)})`;
}

/** Where the user gave the number to the call that led here. */
function argumentOf(origin: SizeOrigin): Span | undefined {
  let found: Span | undefined;
  for (let at = origin; at.kind === "argument"; at = at.from) if (isUserSpan(at.span)) found = at.span;
  return found;
}

/** The parameters that a clause speaks of, each once. */
export function plainNames(expression: Expression): string[] {
  switch (expression.kind) {
    case "name":
      return [expression.text];
    case "binary":
      return [...new Set([...plainNames(expression.left), ...plainNames(expression.right)])];
    case "unary":
      return plainNames(expression.operand);
    case "call":
      return [...new Set(expression.arguments.flatMap((argument) => plainNames(argument.value)))];
    default:
      return [];
  }
}
