/** A `train` block as graph nodes: the models on a batch, the losses, and the optimizers' updates. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import * as build from "../../ops/build.ts";
import { bindArguments, nothingBound, signatureOf } from "../arguments.ts";
import type { Callee } from "../arguments.ts";
import { asTensor } from "../arithmetic.ts";
import { bind } from "../body.ts";
import { bindConfiguration } from "../configuration.ts";
import { evaluate } from "../evaluate.ts";
import type { Frame } from "../frame.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import { checkType, showType } from "../type.ts";
import { kindInWords, unknown } from "../values.ts";
import type { CallableValue, CheckValue, DataValue, OptimizerValue, TensorValue } from "../values.ts";
import { dimNumber } from "../numbers.ts";
import { checkWhere } from "../where.ts";
import { batchAxis, batchDim, columnTensors } from "./batch.ts";
import { applyTo, argumentsOf, control, runModel } from "./block.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { lossNotSingle } from "./diagnostics/dlm0701-loss-not-single.ts";
import { runOptimizer } from "./optimizer.ts";
import type { OptimizerInputs, OptimizerUpdate } from "./optimizer.ts";
import type { FreezeRule } from "./plans.ts";
import type { PartSettings } from "./train-parts.ts";
import type { TrainSettings } from "./train-settings.ts";
import { namesIn } from "./names-in.ts";
import { textOf } from "../../../grammar/source.ts";
import type { Span } from "../../../grammar/source.ts";

/** A block whose names are resolved. */
export interface TrainBlock {
  readonly declaration: WorkflowDeclaration;
  readonly scope: FileScope;
  /** that the block is named after; undefined where steps train several models by turns */
  readonly model: CallableValue | undefined;
  readonly data: DataValue;
  readonly settings: TrainSettings;
  /** of the same order as the parts of the settings */
  readonly parts: readonly TrainPart[];
}

/** One kind of training step, and the model whose weights alone it changes. */
export interface TrainPart {
  readonly entry: string;
  /** of a `step` */
  readonly name: string | undefined;
  readonly model: CallableValue;
  readonly settings: PartSettings;
  /** of a `stage` */
  readonly stage: PartSettings["stage"];
  /** what it leaves as it is */
  readonly frozen: readonly FreezeRule[];
}

/** Parts whose losses differ: each step; of stages, which have the block's, the first. */
export function losingParts({ parts }: TrainBlock): readonly TrainPart[] {
  return parts.filter(({ stage }, i) => stage === undefined || i === 0);
}

/** The models and the losses on one batch, in the phase of the frame. */
export interface Forward {
  readonly columns: ReadonlyMap<string, TensorValue>;
  /** of the block's own model */
  readonly out: CheckValue | undefined;
  /** of the parts that were asked for, in their order */
  readonly losses: readonly PartLoss[];
}

export interface PartLoss {
  readonly part: TrainPart;
  /** the sum of the terms, rank 0; undefined after a diagnostic */
  readonly loss: TensorValue | undefined;
  readonly terms: readonly { readonly name: string; readonly value: TensorValue }[];
}

/**
 * `frame` is the block's own; its locals are filled. Of the names bound in the block only those are evaluated that the
 * losses of `parts` speak of, so that a model changes its state in a step only where the step needs it.
 */
export function runForward(
  frame: Frame,
  block: TrainBlock,
  parts: readonly TrainPart[] = losingParts(block),
): Forward | undefined {
  const columns = enterBlock(frame, block);
  let out: CheckValue | undefined;
  if (block.model) {
    const given = argumentsOf(frame, block.model, block.data, columns, block.declaration);
    out = given ? runModel(frame, block.model, given, block.declaration) : unknown;
    if (out.kind === "unknown") return undefined;
    frame.locals.values.set("out", out);
  }
  const expressions = parts.flatMap(({ settings }) => settings.loss.map((term) => term.expression));
  bindNames(frame, block, expressions);
  return { columns, out, losses: parts.map((part) => runLoss(frame, part)) };
}

/** A setting was given a value of another kind; what is unknown has been told. */
export function refuseKind(
  frame: Frame,
  setting: string,
  needs: string,
  span: Span,
  value: CheckValue,
): undefined {
  const found = `this is ${kindInWords(value)}`;
  if (value.kind !== "unknown")
    frame.elaboration.session.add(report(settingValue, { setting, needs, span, found }));
}

/** What `sample` asks for, a tensor; undefined where the block has none, or after a diagnostic. */
export function runSample(frame: Frame, block: TrainBlock): TensorValue | undefined {
  const expression = block.settings.sample;
  if (expression === undefined || !runForward(frame, block, [])) return undefined;
  bindNames(frame, block, [expression]);
  const value = evaluate(frame, expression);
  return value.kind === "tensor" ? value : refuseKind(frame, "sample", "a tensor", expression.span, value);
}

/** Puts what a block sees into the locals of its frame: columns, their number of rows, `step` and `epoch`. */
export function enterBlock(frame: Frame, block: TrainBlock): ReadonlyMap<string, TensorValue> {
  const { builder } = frame.elaboration;
  const { values } = frame.locals;
  const { span } = block.declaration.name;
  const scalar = (name: string, input: string): void => {
    const value = builder && control(builder, input, "f32");
    values.set(name, { kind: "tensor", type: checkType("f32", []), value, span });
  };
  scalar("epoch", "steps_per_epoch");
  scalar("step", "step");
  const { size } = batchAxis(span);
  values.set(batchDim, dimNumber(size.dim, size.origin, batchDim));
  const columns = columnTensors(block.data, builder);
  for (const [name, tensor] of columns) values.set(name, tensor);
  return columns;
}

/** Binds the names of the block that these expressions speak of, themselves or by other such names. */
export function bindNames(frame: Frame, block: TrainBlock, expressions: readonly unknown[] | "all"): void {
  const { bindings } = block.settings;
  const needed = new Set<string>(expressions === "all" ? bindings.map(({ name }) => name.text) : []);
  const walk = expressions === "all" ? [] : [...expressions];
  for (let root = walk.pop(); root !== undefined; root = walk.pop())
    for (const name of namesIn(root)) {
      const binding = needed.has(name) ? undefined : bindings.find((each) => each.name.text === name);
      if (!binding) continue;
      needed.add(name);
      walk.push(binding.value);
    }
  for (const { name, value } of bindings)
    if (needed.has(name.text)) bind(frame, [name], evaluate(frame, value), value.span);
}

function runLoss(frame: Frame, part: TrainPart): PartLoss {
  const { session, builder } = frame.elaboration;
  const { settings } = part;
  const terms: { name: string; value: TensorValue }[] = [];
  let sound = settings.loss.length > 0;
  for (const { name, expression } of settings.loss) {
    const value = evaluate(frame, expression);
    const tensor = value.kind === "unknown" ? undefined : asTensor(frame, value, expression.span);
    if (tensor && isSingle(tensor)) terms.push({ name: name ?? "loss", value: tensor });
    else {
      sound = false;
      if (tensor) session.report(frame, lossNotSingle, notSingle(tensor, expression.span));
      else refuseKind(frame, "loss", "a number to make small", expression.span, value);
    }
  }
  const [first] = terms;
  if (!sound || !first) return { part, loss: undefined, terms };
  const values = terms.flatMap((term) => term.value.value ?? []);
  const sum =
    builder && values.length === terms.length ? values.reduce((a, b) => build.add(builder, a, b)) : undefined;
  return { part, loss: { ...first.value, value: sum, span: settings.lossSpan }, terms };
}

function isSingle({ type }: TensorValue): boolean {
  return type.axes.length === 0 && type.element === "f32";
}

function notSingle(
  tensor: TensorValue,
  span: TensorValue["span"],
): Parameters<typeof lossNotSingle.build>[0] {
  const labels = tensor.type.axes.map((axis) => axis.label);
  const named = labels.every((label) => label !== undefined && /^\w+$/.test(label)) && labels.length > 0;
  const over = named ? (labels.length === 1 ? labels[0] : `[${labels.join(", ")}]`) : undefined;
  return { span, text: textOf(span), type: showType(tensor.type), over };
}

// ---------------------------------------------------------------- the update

/** Where the optimizer stands: its file, or the library. */
function scopeOf(session: Session, { declaration }: OptimizerValue): FileScope | undefined {
  const name = declaration.name.text;
  return [session.library, ...session.files.values()].find(
    (scope) => scope.declarations.get(name) === declaration,
  );
}

/** The optimizer of a part; undefined after a diagnostic, or where there is none. */
export function optimizerOf(frame: Frame, part: TrainPart): OptimizerValue | undefined {
  const expression = part.settings.optimizer;
  if (expression === undefined) return undefined;
  const value = evaluate(frame, expression);
  return value.kind === "optimizer"
    ? value
    : refuseKind(frame, "optimizer", "an optimizer such as `adam(1e-3)`", expression.span, value);
}

/** The new weights and optimizer states; undefined after a diagnostic. */
export function runUpdate(
  frame: Frame,
  optimizer: OptimizerValue,
  inputs: OptimizerInputs,
): OptimizerUpdate | undefined {
  const { session } = frame.elaboration;
  const scope = scopeOf(session, optimizer);
  if (scope === undefined) return undefined;
  const inner: Frame = {
    ...frame,
    file: scope,
    open: false,
    locals: { values: new Map(), parent: undefined },
    call: { span: optimizer.span, frame },
  };
  return configure(frame, inner, optimizer, inputs) ? runOptimizer(inner, optimizer, inputs) : undefined;
}

/** Binds the configuration in the locals of `inner`; a schedule is applied to the step. */
function configure(frame: Frame, inner: Frame, optimizer: OptimizerValue, inputs: OptimizerInputs): boolean {
  const { configuration, name } = optimizer.declaration;
  const callee: Callee = {
    name: name.text,
    kind: "builtin",
    configuration: configuration.map((p) => ({
      name: p.name.text,
      ...(p.default ? { optional: true as const } : {}),
    })),
    tensors: [],
    signature: signatureOf(optimizer.declaration),
  };
  const bound = bindArguments(frame, callee, optimizer.arguments ?? [], nothingBound, undefined);
  if (!bound) return false;
  if (!bindConfiguration(inner, frame, optimizer.declaration, bound, optimizer.span)) return false;
  const { values } = inner.locals;
  for (const { name: parameter } of configuration) {
    const at = bound.configuration.get(parameter.text)?.span ?? optimizer.span;
    const applied = applyTo(frame, values.get(parameter.text) ?? unknown, inputs.step, at);
    if (applied.kind === "unknown") return false;
    values.set(parameter.text, applied);
  }
  if (!checkWhere(inner, optimizer.declaration, optimizer.span)) return false;
  const given = values.get("rate");
  const rate = given && inputs.changeRate && asTensor(frame, given, optimizer.span);
  if (rate?.value) values.set("rate", { ...rate, value: inputs.changeRate!(rate.value) });
  return true;
}
