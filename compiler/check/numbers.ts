/** Numbers known before running: their arithmetic, on values where they are known and on dims where they are sizes. */
import type { BinaryOperator } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import type { SizeOrigin } from "./origin.ts";
import type { Solver } from "./solver.ts";
import type { BooleanValue, NumberValue } from "./values.ts";

export function numberOf(value: number, origin: SizeOrigin, label?: string): NumberValue {
  const whole = Number.isSafeInteger(value);
  return { kind: "number", value, dim: whole ? dim.constant(value) : undefined, origin, label };
}

export function dimNumber(size: Dim, origin: SizeOrigin, label?: string): NumberValue {
  return { kind: "number", value: dim.constantOf(size), dim: size, origin, label };
}

/** A number of which only the place is known. */
export function symbolicNumber(origin: SizeOrigin, quotient?: NumberValue["quotient"]): NumberValue {
  return { kind: "number", value: undefined, dim: undefined, origin, label: undefined, quotient };
}

export function writtenAt(span: Span, name?: string): SizeOrigin {
  return { kind: "written", span, name };
}

const arithmetic: Partial<Record<BinaryOperator, (x: number, y: number) => number>> = {
  "+": (x, y) => x + y,
  "-": (x, y) => x - y,
  "*": (x, y) => x * y,
  "/": (x, y) => x / y,
  "^": (x, y) => x ** y,
  mod: (x, y) => x - y * Math.floor(x / y),
};

/** a OP b, or undefined where the operator is no arithmetic. */
export function numberArithmetic(
  solver: Solver,
  operator: BinaryOperator,
  a: NumberValue,
  b: NumberValue,
  span: Span,
): NumberValue | undefined {
  const compute = arithmetic[operator];
  if (!compute) return undefined;
  const origin: SizeOrigin = { kind: "rule", span, parents: [a.origin, b.origin] };
  const unit = a.unit ?? b.unit;
  const value = a.value !== undefined && b.value !== undefined ? compute(a.value, b.value) : undefined;
  if (value !== undefined) return { ...numberOf(value, origin), unit };
  const x = a.dim;
  const y = b.dim;
  if (x === undefined || y === undefined) return { ...symbolicNumber(origin), unit };
  const exponent = b.value;
  if (exponent === 0 && (operator === "/" || operator === "mod")) return numberOf(Number.NaN, origin);
  switch (operator) {
    case "+":
      return { ...dimNumber(dim.add(x, y), origin), unit };
    case "-":
      return { ...dimNumber(dim.subtract(x, y), origin), unit };
    case "*":
      return { ...dimNumber(dim.multiply(x, y), origin), unit };
    case "^":
      return exponent !== undefined && Number.isInteger(exponent) && exponent >= 0 && exponent <= 8
        ? dimNumber(dim.power(x, exponent), origin)
        : symbolicNumber(origin);
    case "/": {
      if (solver.divides(y, x).kind === "proved") return dimNumber(solver.quotient(x, y), origin);
      return symbolicNumber(origin, { left: x, right: y, span });
    }
    case "mod":
      return dimNumber(
        dim.subtract(x, dim.multiply(y, dim.floorDivide(solver.normalise(x), solver.normalise(y)))),
        origin,
      );
    default:
      return undefined;
  }
}

/** floor(e) and ceil(e) of a number. */
export function roundNumber(solver: Solver, up: boolean, a: NumberValue, span: Span): NumberValue {
  const origin: SizeOrigin = { kind: "rule", span, parents: [a.origin] };
  if (a.value !== undefined) return numberOf(up ? Math.ceil(a.value) : Math.floor(a.value), origin);
  if (a.dim) return dimNumber(a.dim, origin);
  if (a.quotient) {
    const left = solver.normalise(a.quotient.left);
    const right = solver.normalise(a.quotient.right);
    return dimNumber(up ? dim.ceilDivide(left, right) : dim.floorDivide(left, right), origin);
  }
  return symbolicNumber(origin);
}

/** a OP b as a condition; a value of undefined: it depends on sizes that are not known. */
export function compareNumbers(
  solver: Solver,
  operator: BinaryOperator,
  a: NumberValue,
  b: NumberValue,
): BooleanValue {
  if (a.value !== undefined && b.value !== undefined) {
    const [x, y] = [a.value, b.value];
    const known: Partial<Record<BinaryOperator, boolean>> = {
      "<": x < y,
      "<=": x <= y,
      ">": x > y,
      ">=": x >= y,
      "==": x === y,
      "!=": x !== y,
      divides: x !== 0 && y % x === 0,
    };
    return { kind: "boolean", value: known[operator] };
  }
  if (!a.dim || !b.dim) return { kind: "boolean", value: undefined };
  switch (operator) {
    case "==":
    case "!=": {
      const verdict = solver.equal(a.dim, b.dim);
      const always = verdict.kind === "refuted" && verdict.witness.size === 0;
      const value = verdict.kind === "proved" ? true : always ? false : undefined;
      if (operator === "!=") return { kind: "boolean", value: value === undefined ? undefined : !value };
      return { kind: "boolean", value, equal: [[a.dim, b.dim]] };
    }
    case "<=":
      return decide(solver.atMost(a.dim, b.dim), solver.atMost(dim.add(b.dim, dim.one), a.dim));
    case "<":
      return decide(solver.atMost(dim.add(a.dim, dim.one), b.dim), solver.atMost(b.dim, a.dim));
    case ">=":
      return decide(solver.atMost(b.dim, a.dim), solver.atMost(dim.add(a.dim, dim.one), b.dim));
    case ">":
      return decide(solver.atMost(dim.add(b.dim, dim.one), a.dim), solver.atMost(a.dim, b.dim));
    case "divides": {
      const verdict = solver.divides(a.dim, b.dim);
      const always = verdict.kind === "refuted" && verdict.witness.size === 0;
      return { kind: "boolean", value: verdict.kind === "proved" ? true : always ? false : undefined };
    }
    default:
      return { kind: "boolean", value: undefined };
  }
}

function decide(is: { readonly kind: string }, isNot: { readonly kind: string }): BooleanValue {
  return {
    kind: "boolean",
    value: is.kind === "proved" ? true : isNot.kind === "proved" ? false : undefined,
  };
}
