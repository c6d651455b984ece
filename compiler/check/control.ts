/** `if`, `repeat`, `for`, `residual`, `branch`, `recompute`: known before running, so they are unrolled. */
import type { Body, Expression } from "../../grammar/ast.ts";
import type { Span } from "../../grammar/source.ts";
import { elementwise } from "./arithmetic.ts";
import { evaluateBody, evaluateEach, lastExpression } from "./body.ts";
import type { Given } from "./builtins/builtin.ts";
import { repeatChanges } from "./diagnostics/dlm0209-repeat-changes.ts";
import { residualSizes } from "./diagnostics/dlm0201-residual-sizes.ts";
import { unfit } from "./diagnostics/dlm0114-unfit-value.ts";
import { unknownCount } from "./diagnostics/dlm0106-unknown-count.ts";
import { evaluate } from "./evaluate.ts";
import { innerScope, withPath, pathScope } from "./frame.ts";
import type { Frame, PathScope } from "./frame.ts";
import { originLabels } from "./origin.ts";
import { labelledScope, markPaths } from "./paths.ts";
import { applyExpression, isSingle } from "./pipeline.ts";
import { describeRange } from "./number-range.ts";
import { numberOf } from "./numbers.ts";
import { showAxis, showType } from "./type.ts";
import type { Axis, CheckType } from "./type.ts";
import { kindInWords, unknown } from "./values.ts";
import type { BooleanValue, CheckValue } from "./values.ts";

type Label = { readonly text: string; readonly span: Span } | undefined;
type If = Extract<Expression, { kind: "if" }>;

// ---------------------------------------------------------------- if

/** Whether a condition asks for the phase: states may change under it. */
function asksPhase(expression: Expression): boolean {
  if (expression.kind === "name") return expression.text === "training" || expression.text === "fitting";
  if (expression.kind === "binary") return asksPhase(expression.left) || asksPhase(expression.right);
  return false;
}

export function evaluateIf(frame: Frame, expression: If): CheckValue | undefined {
  return choose(frame, expression, (inner, body) => evaluateBody(inner, body));
}

export function applyIf(frame: Frame, input: Given, expression: If, label: Label): CheckValue {
  const path = label ? labelledScope(frame, label, false) : frame.path;
  if (!path) return unknown;
  // without `else` the input goes on as it is
  return (
    choose(withPath(frame, path), expression, (inner, body) => {
      const single =
        label !== undefined && body.statements.length === 1 && isSingle(inner, body.statements[0]!);
      return evaluateBody(single ? withPath(inner, pathScope(path.prefix, true)) : inner, body, input);
    }) ?? (expression.else ? unknown : input.value)
  );
}

function choose(
  frame: Frame,
  expression: If,
  run: (frame: Frame, body: Body) => CheckValue | undefined,
): CheckValue | undefined {
  const condition = evaluate(frame, expression.condition);
  const changing = frame.changing || asksPhase(expression.condition);
  if (condition.kind === "unknown") return unknown;
  if (condition.kind !== "boolean") {
    frame.elaboration.session.report(frame, unknownCount, {
      span: expression.condition.span,
      what: "`if`",
      needs: "a condition known before running",
      found: describe(frame, condition),
    });
    return unknown;
  }
  if (condition.value === true) return run({ ...innerScope(frame), changing }, expression.then);
  if (condition.value === false)
    return expression.else
      ? run({ ...innerScope(frame), changing: frame.changing }, expression.else)
      : undefined;
  return undecided(frame, expression, condition, run, changing);
}

/** A module is checked alone and the condition depends on its caller: both branches are checked, the general one goes on. */
function undecided(
  frame: Frame,
  expression: If,
  condition: BooleanValue,
  run: (frame: Frame, body: Body) => CheckValue | undefined,
  changing: boolean,
): CheckValue | undefined {
  const { elaboration } = frame;
  if (!elaboration.alone) {
    elaboration.session.report(frame, unknownCount, {
      span: expression.condition.span,
      what: "`if`",
      needs: "a condition known before running",
      found: "depends on a size that is free",
    });
    return unknown;
  }
  const backToPaths = markPaths(frame.path);
  const backToFacts = elaboration.solver.mark();
  for (const [left, right] of condition.equal ?? [])
    elaboration.solver.assume({ kind: "equal", left, right });
  const then = run({ ...innerScope(frame), changing }, expression.then);
  backToFacts();
  if (!expression.else) return then;
  backToPaths();
  return run(innerScope(frame), expression.else);
}

function describe(frame: Frame, value: CheckValue): string {
  return value.kind === "tensor"
    ? `is a tensor of shape ${showType(value.type, frame.elaboration.solver.show)}`
    : `is ${kindInWords(value)}`;
}

// ---------------------------------------------------------------- repeat, for

/** More than any program needs, and few enough to unroll. */
const mostPasses = 10_000;

function countPasses(frame: Frame, count: number, span: Span): boolean {
  const { elaboration } = frame;
  elaboration.passes += count;
  if (elaboration.passes <= mostPasses) return true;
  elaboration.session.report(frame, unfit, {
    span,
    expected: `at most ${mostPasses.toLocaleString("en-US")} passes in all`,
    found: elaboration.passes.toLocaleString("en-US"),
    helps: [],
  });
  return false;
}

/** `own`: the scope that a name outside gave it already. */
export function applyRepeat(
  frame: Frame,
  input: Given,
  expression: Extract<Expression, { kind: "repeat" }>,
  label: Label,
  own?: PathScope,
): CheckValue {
  const { elaboration } = frame;
  const count = evaluate(frame, expression.count);
  if (count.kind === "unknown") return unknown;
  const known = count.kind === "number" ? count.value : undefined;
  const open = elaboration.alone && count.kind === "number" && known === undefined;
  // none at all makes sense where a configuration says so
  const least = expression.count.kind === "number" ? 1 : 0;
  if (!open && (known === undefined || !Number.isInteger(known) || known < least)) {
    elaboration.session.report(frame, unknownCount, {
      span: expression.count.span,
      what: "`repeat`",
      needs: known === undefined ? "a number known before running" : describeRange({ whole: true, least }),
      found: known !== undefined ? `is ${known}` : describe(frame, count),
    });
    return unknown;
  }
  if (!countPasses(frame, known ?? 2, expression.count.span)) return unknown;
  const path = own ?? (label ? labelledScope(frame, label, false) : frame.path);
  if (!path) return unknown;
  const named = own !== undefined || label !== undefined;
  const { statements } = expression.body;
  const single = named && statements.length === 1 && isSingle(frame, statements[0]!);
  let value = input.value;
  let at = input.span;
  const start = markPaths(path);
  const sharedScope = single ? pathScope(path.prefix, true) : path;
  // a symbolic count is two passes: the first may change the size, the second shows that the others do not
  for (let pass = 0; pass < (known ?? 2); pass++) {
    if (expression.shared && pass > 0) start();
    const scope = expression.shared
      ? sharedScope
      : named
        ? pathScope(`${path.prefix}${pass}.`, single)
        : path;
    const before = value;
    const inner = innerScope(withPath(frame, scope));
    const after = evaluateBody(inner, expression.body, {
      value,
      span: at,
      expression: undefined,
      alias: undefined,
    });
    value = after ?? unknown;
    at = expression.body.span;
    if (value.kind === "unknown") return unknown;
    if ((pass > 0 || expression.shared) && before.kind === "tensor" && value.kind === "tensor") {
      if (!sameSizes(frame, before.type, value.type)) {
        elaboration.session.report(frame, repeatChanges, {
          span: lastExpression(expression.body).span,
          whole: expression.span,
          shared: expression.shared,
          before: showType(before.type, elaboration.solver.show),
          after: showType(value.type, elaboration.solver.show),
        });
        return unknown;
      }
    }
  }
  return value;
}

export function sameSizes(frame: Frame, a: CheckType, b: CheckType): boolean {
  return (
    a.axes.length === b.axes.length &&
    a.axes.every(
      (axis, i) => frame.elaboration.solver.equal(axis.size.dim, b.axes[i]!.size.dim).kind === "proved",
    )
  );
}

export function applyFor(
  frame: Frame,
  input: Given,
  expression: Extract<Expression, { kind: "for" }>,
  label: Label,
): CheckValue {
  const values = evaluate(frame, expression.values);
  if (values.kind === "unknown") return unknown;
  const items = listOf(values);
  if (!items) {
    frame.elaboration.session.report(frame, unknownCount, {
      span: expression.values.span,
      what: "`for`",
      needs: "a list or a range known before running",
      found: describe(frame, values),
    });
    return unknown;
  }
  if (!countPasses(frame, items.length, expression.values.span)) return unknown;
  const path = label ? labelledScope(frame, label, false) : frame.path;
  if (!path) return unknown;
  const { statements } = expression.body;
  const single = label !== undefined && statements.length === 1 && isSingle(frame, statements[0]!);
  let value = input.value;
  let at = input.span;
  items.forEach((item, pass) => {
    const scope = label ? pathScope(`${path.prefix}${pass}.`, single) : path;
    const inner = innerScope(withPath(frame, scope));
    inner.locals.values.set(expression.variable.text, item);
    value =
      evaluateBody(inner, expression.body, { value, span: at, expression: undefined, alias: undefined }) ??
      unknown;
    at = expression.body.span;
  });
  return value;
}

function listOf(value: CheckValue): readonly CheckValue[] | undefined {
  if (value.kind === "list") return value.items;
  if (value.kind !== "range") return undefined;
  const [from, to] = [value.from.value, value.to.value];
  if (from === undefined || to === undefined || to - from > 10_000) return undefined;
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => numberOf(from + i, value.from.origin));
}

// ---------------------------------------------------------------- residual, branch, recompute

export function applyResidual(
  frame: Frame,
  input: Given,
  expression: Extract<Expression, { kind: "residual" }>,
  label: Label,
): CheckValue {
  const { session, solver } = frame.elaboration;
  const path = label ? labelledScope(frame, label, false) : frame.path;
  if (!path) return unknown;
  const outer = withPath({ ...frame, recording: false }, path);
  const shortcut = expression.via ? applyExpression(outer, input, expression.via, undefined) : input.value;
  const branch = evaluateBody(innerScope(outer), expression.body, input) ?? unknown;
  if (branch.kind === "unknown" || shortcut.kind === "unknown") return unknown;
  const body = lastExpression(expression.body);
  if (branch.kind !== "tensor" || shortcut.kind !== "tensor") {
    const wrong = branch.kind === "tensor" ? shortcut : branch;
    session.report(frame, unfit, {
      span: expression.body.span,
      expected: "tensors on both sides of `residual`",
      found: kindInWords(wrong),
      helps: [],
    });
    return unknown;
  }
  if (!sameSizes(frame, shortcut.type, branch.type)) {
    const changed = shortcut.type.axes
      .map((axis, i) => ({ axis, other: branch.type.axes[i] }))
      .filter(({ axis, other }) => other && solver.equal(axis.size.dim, other.size.dim).kind !== "proved");
    const same = shortcut.type.axes.length === branch.type.axes.length;
    const last = shortcut.type.axes.at(-1);
    session.report(frame, residualSizes, {
      span: expression.body.span,
      keyword: expression.keywordSpan,
      branch: showType(branch.type, solver.show),
      shortcut: showType(shortcut.type, solver.show),
      via: expression.via?.span,
      changed: same
        ? changed.map(({ axis, other }) =>
            changeInWords(
              axisInWords(axis, axis === last),
              solver.show(axis.size.dim),
              solver.show(other!.size.dim),
            ),
          )
        : [],
      last: body,
      size: same && last ? solver.show(last.size.dim) : undefined,
      onlyLast: same && changed.length === 1 && changed[0]!.axis === last,
      origins: changed
        .toReversed()
        .flatMap(({ axis }) =>
          originLabels(showAxis(axis, solver.show), axis.size.origin, [
            expression.body.span,
            expression.keywordSpan,
          ]),
        ),
    });
    return unknown;
  }
  const sum = elementwise(frame, "+", expression.keywordSpan, shortcut, branch, expression.span);
  return sum;
}

/** `H: 56 became 28`, or `H became floor(H / 2)` where an axis is called what its size is. */
function changeInWords(axis: string, before: string, after: string): string {
  return `${axis === before ? axis : `${axis}: ${before}`} became ${after}`;
}

function axisInWords(axis: Axis, last: boolean): string {
  return axis.shown ?? axis.label ?? (last ? "the last axis" : "an axis");
}

export function applyBranch(
  frame: Frame,
  input: Given,
  expression: Extract<Expression, { kind: "branch" }>,
  label: Label,
): CheckValue {
  const path = label ? labelledScope(frame, label, false) : frame.path;
  if (!path) return unknown;
  const items = evaluateEach(innerScope(withPath(frame, path)), expression.body, input);
  return items.some((item) => item.kind === "unknown")
    ? unknown
    : { kind: "list", items, span: expression.span };
}

export function applyRecompute(
  frame: Frame,
  input: Given,
  expression: Extract<Expression, { kind: "recompute" }>,
  label: Label,
): CheckValue {
  const path = label ? labelledScope(frame, label, false) : frame.path;
  if (!path) return unknown;
  const { builder } = frame.elaboration;
  const outer = builder?.part;
  // within another block all is computed again already
  if (builder) builder.part = outer ?? builder.nodes.length;
  const result = evaluateBody(innerScope(withPath(frame, path)), expression.body, input) ?? unknown;
  if (builder) builder.part = outer;
  return result;
}
