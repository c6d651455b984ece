/**
 * An `optimizer` of the language as graph nodes. Its body runs once, with `w`, `g` and every state as one vector of all
 * parameters, so an optimizer is elementwise over them, but for `weight_norm`; `step` counts from 1.
 */
import type { Body, Expression, Statement } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { isNode } from "../../ir/graph.ts";
import type { Value } from "../../ir/graph.ts";
import { sameShape } from "../../ir/type.ts";
import { asTensor } from "../arithmetic.ts";
import { evaluate } from "../evaluate.ts";
import { innerScope } from "../frame.ts";
import type { Frame } from "../frame.ts";
import { kindInWords, unknown } from "../values.ts";
import type { CheckValue, OptimizerValue, TensorValue } from "../values.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { weightNorm } from "./weight-norm.ts";
import type { NormsOfParts } from "./weight-norm.ts";

/** What the body reads. */
export interface OptimizerInputs {
  readonly w: TensorValue;
  readonly g: TensorValue;
  /** rank 0 */
  readonly step: TensorValue;
  /** the vector of a state; asked once for each state that the rule keeps */
  state(name: string, initial: number): TensorValue;
  readonly norms: NormsOfParts;
  /** what becomes of the configuration `rate`, rank 0, before the rule sees it; undefined: nothing */
  readonly changeRate: ((rate: Value) => Value) | undefined;
}

export interface OptimizerUpdate {
  readonly w: TensorValue;
  readonly states: ReadonlyMap<string, TensorValue>;
  /** what its configuration `rate` is at this step, a number or a tensor of rank 0, where it has one */
  readonly rate: CheckValue | undefined;
}

interface Run {
  /** where updates are seen by what follows */
  readonly root: Frame;
  readonly inputs: OptimizerInputs;
  readonly declared: Set<string>;
  readonly updated: Map<string, TensorValue>;
  /** values of the graph that are known to be elementwise */
  readonly elementwise: Set<Value>;
  sound: boolean;
}

/** Whether each element is made of the same element of the vectors that it comes from. What is known to be, `seen`, grows. */
function isElementwise(value: Value, seen: Set<Value>): boolean {
  const walk = [value];
  const found = new Set<Value>();
  for (let at = walk.pop(); at; at = walk.pop()) {
    if (seen.has(at) || found.has(at)) continue;
    found.add(at);
    if (!isNode(at.source)) continue;
    const { op, operands } = at.source;
    const vectors = operands.filter(({ type }) => type.shape.length > 0);
    const { shape } = at.type;
    if (vectors.length > 0 && !(op.cheap && vectors.every(({ type }) => sameShape(type.shape, shape))))
      return false;
    walk.push(...operands);
  }
  for (const each of found) seen.add(each);
  return true;
}

/** Undefined after a diagnostic. `frame` sees the file of the declaration and its configuration. */
export function runOptimizer(
  frame: Frame,
  optimizer: OptimizerValue,
  inputs: OptimizerInputs,
): OptimizerUpdate | undefined {
  const { values } = frame.locals;
  const rate = values.get("rate");
  values.set("w", inputs.w);
  values.set("g", inputs.g);
  values.set("step", inputs.step);
  const given = [inputs.w, inputs.g, inputs.step].flatMap(({ value }) => value ?? []);
  const run: Run = {
    root: frame,
    inputs,
    declared: new Set(),
    updated: new Map(),
    elementwise: new Set(given),
    sound: true,
  };
  const norm = weightNorm(inputs.w, inputs.norms, (value, x) => {
    if (isElementwise(x, run.elementwise)) run.elementwise.add(value);
  });
  const { span } = optimizer.declaration;
  values.set(norm.name, { kind: "builtin", builtin: norm, bound: undefined, span, over: undefined });
  runBody(frame, optimizer.declaration.body, run);
  if (!run.sound) return undefined;
  const w = run.updated.get("w");
  if (w === undefined) {
    wrong(
      run,
      optimizer.declaration.name.span,
      "an update `w <- ...`",
      "this rule never changes the weights",
    );
    return undefined;
  }
  run.updated.delete("w");
  return { w, states: run.updated, rate };
}

function wrong(run: Run, span: Span, needs: string, found: string): void {
  run.sound = false;
  run.root.elaboration.session.add(report(settingValue, { setting: "optimizer", needs, span, found }));
}

/** What stands there; unknown after a diagnostic. */
function elementwiseValue(frame: Frame, expression: Expression, run: Run): CheckValue {
  const value = evaluate(frame, expression);
  if (value.kind === "unknown") run.sound = false;
  if (value.kind !== "tensor" || !value.value || isElementwise(value.value, run.elementwise)) return value;
  wrong(
    run,
    expression.span,
    "a rule that treats each weight by itself",
    "this brings weights together, and here `w` and `g` are those of all layers at once",
  );
  return unknown;
}

function runBody(frame: Frame, body: Body, run: Run): void {
  for (const statement of body.statements) runStatement(frame, statement, run);
}

function runStatement(frame: Frame, statement: Statement, run: Run): void {
  switch (statement.kind) {
    case "hole":
      run.sound = false;
      return;
    case "state": {
      const initial = evaluate(frame, statement.value);
      const name = statement.name.text;
      const open = frame.elaboration.alone && initial.kind === "number";
      if (initial.kind !== "number" || (initial.value === undefined && !open))
        return wrong(
          run,
          statement.value.span,
          "states that start from a number",
          `this is ${kindInWords(initial)}`,
        );
      run.declared.add(name);
      run.root.locals.values.set(name, run.inputs.state(name, initial.value ?? 0));
      return;
    }
    case "bind": {
      const value = elementwiseValue(frame, statement.value, run);
      const [name] = statement.names;
      if (name && statement.names.length === 1) frame.locals.values.set(name.text, value);
      else wrong(run, statement.span, "one name for each value", "these are several");
      return;
    }
    case "update":
      return update(frame, statement, run);
    case "expression": {
      const { value } = statement;
      if (value.kind === "hole") run.sound = false;
      if (value.kind !== "if")
        return wrong(run, value.span, "`state`, `=`, `<-` and `if` in its body", "nothing is done with this");
      const condition = evaluate(frame, value.condition);
      // a configuration that only a use gives decides: both may be
      const open = condition.kind === "boolean" || (condition.kind === "number" && condition.open);
      if (frame.elaboration.alone && open && (condition.kind === "number" || condition.value === undefined)) {
        for (const branch of [value.then, value.else]) if (branch) runBody(innerScope(frame), branch, run);
        return;
      }
      if (condition.kind !== "boolean" || condition.value === undefined) {
        if (condition.kind === "unknown") run.sound = false;
        else
          wrong(
            run,
            value.condition.span,
            "a condition known before running",
            `this is ${kindInWords(condition)}`,
          );
        return;
      }
      const branch = condition.value ? value.then : value.else;
      if (branch) runBody(innerScope(frame), branch, run);
      return;
    }
    default:
      wrong(
        run,
        statement.span,
        "`state`, `=`, `<-` and `if` in its body",
        `\`${statement.kind}\` does not belong here`,
      );
  }
}

function update(frame: Frame, statement: Extract<Statement, { kind: "update" }>, run: Run): void {
  const name = statement.name.text;
  if (name !== "w" && !run.declared.has(name))
    return wrong(run, statement.name.span, "`<-` with `w` or one of its states", `\`${name}\` is neither`);
  const value = elementwiseValue(frame, statement.value, run);
  if (value.kind === "unknown") return;
  const tensor = asTensor(frame, value, statement.value.span);
  if (tensor === undefined || tensor.type.axes.length !== 1 || tensor.type.element !== "f32")
    return wrong(
      run,
      statement.value.span,
      "values of the size of the weights",
      `this is ${kindInWords(value)}`,
    );
  run.updated.set(name, tensor);
  run.root.locals.values.set(name, tensor);
}
