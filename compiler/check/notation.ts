/**
 * The body of an `op`: `y[b, o] += x[b, i] * k[i, o]`. The names on the left run over the axes of the result, all others
 * over the operand axis that they index alone (`i`, or backwards `size - 1 - i`), and the product is summed over these.
 */
import type { AxisItem, CallableDeclaration, Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import * as build from "../ops/build.ts";
import type { AxisMap } from "../ops/index-maps.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { computed, emit } from "./emit.ts";
import { evaluate } from "./evaluate.ts";
import type { Frame } from "./frame.ts";
import { axisName, evaluateShape, typeShape } from "./signature.ts";
import { checkType } from "./type.ts";
import type { Axis } from "./type.ts";
import { unknown } from "./values.ts";
import type { CheckValue, TensorValue } from "./values.ts";

interface Read {
  readonly tensor: TensorValue;
  readonly items: readonly AxisItem[];
  readonly span: Span;
}

interface LinearForm {
  readonly constant: Dim;
  readonly terms: ReadonlyMap<string, Dim>;
}

export function runNotation(frame: Frame, declaration: CallableDeclaration, span: Span): CheckValue {
  const { solver } = frame.elaboration;
  const [statement] = declaration.body.statements;
  const { statements, span: body } = declaration.body;
  if (!statement) refuseLine(frame, body, "this is empty");
  if (!statement || statement.kind === "hole") return unknown;
  if (statements.length !== 1 || statement.kind !== "accumulate") {
    const second = statement.kind === "accumulate" ? statements[1] : undefined;
    refuseLine(frame, (second ?? statement).span, second ? "this is one more" : "this is another statement");
    return unknown;
  }
  const axes = resultAxes(frame, declaration);
  const names = loopNames(frame, statement.target);
  const reads = readsOf(frame, statement.value);
  if (!axes || !names || !reads) return unknown;
  if (names.length !== axes.length) {
    refuse(
      frame,
      statement.target.span,
      `${axes.length} names, one for each axis of the result`,
      `${names.length}`,
    );
    return unknown;
  }
  const loops = new Map<string, Dim>(names.map((name, i) => [name, axes[i]!.size.dim]));
  const forms = reads.map((read) =>
    read.items.map((item) => (item.kind === "axis" ? linear(frame, item.size) : undefined)),
  );
  for (const [r, read] of reads.entries()) {
    if (read.items.length !== read.tensor.type.axes.length) {
      refuse(frame, read.span, `${read.tensor.type.axes.length} positions`, `${read.items.length}`);
      return unknown;
    }
    read.items.forEach((_, a) => {
      const form = forms[r]![a];
      const size = solver.normalise(read.tensor.type.axes[a]!.size.dim);
      const name = form && wholeAxis(form, size);
      if (name !== undefined && !loops.has(name)) loops.set(name, size);
    });
  }
  const order = [...loops.keys()];
  const maps: AxisMap[][] = [];
  for (const [r, read] of reads.entries()) {
    const own: AxisMap[] = [];
    for (const form of forms[r]!) {
      if (!form) return unknown;
      const coefficients = order.map(() => 0);
      for (const [name, coefficient] of form.terms) {
        const at = order.indexOf(name);
        if (at < 0) {
          refuse(frame, read.span, `a range for \`${name}\`: an operand axis that it indexes alone`, "none");
          return unknown;
        }
        const known = dim.constantOf(solver.normalise(coefficient));
        if (known === undefined && !frame.elaboration.alone) {
          refuse(
            frame,
            read.span,
            `a number known before running before \`${name}\``,
            solver.show(coefficient),
          );
          return unknown;
        }
        coefficients[at] = known ?? 1;
      }
      own.push({ constant: solver.normalise(form.constant), coefficients });
    }
    maps.push(own);
  }
  const operands = reads.map((read) => read.tensor);
  const node = emit(
    frame,
    span,
    operands.map((tensor) => tensor.value),
    (b, values) =>
      build.index(b, values, {
        axes: order.map((name) => solver.normalise(loops.get(name)!)),
        result: names.length,
        maps,
      }),
  );
  return computed(operands, checkType("f32", axes), node, span);
}

/** The name that runs over a whole axis, forwards (`i`) or backwards (`size - 1 - i`). */
function wholeAxis(form: LinearForm, size: Dim): string | undefined {
  const [only] = form.terms;
  if (!only || form.terms.size !== 1) return undefined;
  const [name, coefficient] = only;
  const step = dim.constantOf(coefficient);
  const start = step === 1 ? dim.zero : step === -1 ? dim.subtract(size, dim.one) : undefined;
  return start && dim.equal(form.constant, start) ? name : undefined;
}

/** An `op` has another body than all the rest. */
function refuseLine(frame: Frame, span: Span, here: string): void {
  frame.elaboration.session.report(frame, unfit, {
    span,
    message: "the body of an `op` is one line `y[..] += product`",
    here,
    helps: ["`y[b, o] += x[b, i] * k[i, o]`, for instance; what needs other lines is a `fn`"],
  });
}

function refuse(frame: Frame, span: Span, expected: string, found: string): void {
  frame.elaboration.session.report(frame, unfit, { span, expected, found, helps: [] });
}

function resultAxes(frame: Frame, declaration: CallableDeclaration): Axis[] | undefined {
  const shape = typeShape(frame, declaration.result);
  return shape.kind === "tensor" ? evaluateShape(frame, shape.axes) : undefined;
}

function loopNames(frame: Frame, target: Expression): string[] | undefined {
  if (target.kind !== "brackets") {
    refuse(frame, target.span, "`y[..]` before `+=`", "something else");
    return undefined;
  }
  const names = target.items.map((item) => axisName(item));
  if (!names.every((name) => name !== undefined)) {
    refuse(frame, target.itemsSpan, "plain names", "an expression");
    return undefined;
  }
  const again = names.find((name, i) => names.indexOf(name) < i);
  if (again !== undefined)
    refuse(frame, target.itemsSpan, "each name once before `+=`", `\`${again}\` twice`);
  return again === undefined ? names : undefined;
}

/** The factors of a product of reads. */
function readsOf(frame: Frame, expression: Expression): Read[] | undefined {
  if (expression.kind === "binary" && expression.operator === "*") {
    const left = readsOf(frame, expression.left);
    const right = left && readsOf(frame, expression.right);
    return right && [...left, ...right];
  }
  if (expression.kind === "brackets") {
    const tensor = evaluate(frame, expression.base);
    if (tensor.kind === "tensor") return [{ tensor, items: expression.items, span: expression.span }];
    if (tensor.kind === "unknown") return undefined;
  }
  if (expression.kind !== "hole")
    frame.elaboration.session.report(frame, unfit, {
      span: expression.span,
      message: "an `op` adds up products of reads such as `x[b, i] * k[i, o]`",
      here: "this is no read of a tensor",
      helps: ["compute it before or after the `op`, in a `fn` around it"],
    });
  return undefined;
}

/** A position as a sum of loops; sizes and configuration are constants. Undefined after a message. */
function linear(frame: Frame, expression: Expression): LinearForm | undefined {
  switch (expression.kind) {
    case "name": {
      const known = frame.locals.values.get(expression.text);
      if (known?.kind === "number")
        return known.dim ? { constant: known.dim, terms: new Map() } : fail(frame, expression);
      return { constant: dim.zero, terms: new Map([[expression.text, dim.one]]) };
    }
    case "unary": {
      const operand =
        expression.operator === "-" ? linear(frame, expression.operand) : fail(frame, expression);
      return operand && scaled(operand, dim.constant(-1));
    }
    case "binary": {
      const left = linear(frame, expression.left);
      const right = left && linear(frame, expression.right);
      if (!right) return undefined;
      if (expression.operator === "+") return sum(left, right);
      if (expression.operator === "-") return sum(left, scaled(right, dim.constant(-1)));
      if (expression.operator === "*" && left.terms.size === 0) return scaled(right, left.constant);
      if (expression.operator === "*" && right.terms.size === 0) return scaled(left, right.constant);
      return fail(frame, expression);
    }
    default: {
      const value = evaluate(frame, expression);
      if (value.kind === "number" && value.dim) return { constant: value.dim, terms: new Map() };
      return value.kind === "unknown" ? undefined : fail(frame, expression);
    }
  }
}

function fail(frame: Frame, expression: Expression): undefined {
  refuse(frame, expression.span, "a sum of index names times whole numbers", "another expression");
  return undefined;
}

function scaled(form: LinearForm, factor: Dim): LinearForm {
  return {
    constant: dim.multiply(form.constant, factor),
    terms: new Map([...form.terms].map(([name, coefficient]) => [name, dim.multiply(coefficient, factor)])),
  };
}

function sum(a: LinearForm, b: LinearForm): LinearForm {
  const terms = new Map(a.terms);
  for (const [name, coefficient] of b.terms)
    terms.set(name, dim.add(terms.get(name) ?? dim.zero, coefficient));
  return { constant: dim.add(a.constant, b.constant), terms };
}
