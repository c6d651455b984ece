/** A `train` block as graph nodes: the model on a batch, the loss, and the optimizer's update. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import * as build from "../../ops/build.ts";
import { bindArguments, nothingBound } from "../arguments.ts";
import type { Callee } from "../arguments.ts";
import { asTensor } from "../arithmetic.ts";
import { missingConfiguration } from "../diagnostics/dlm0109-missing-configuration.ts";
import { bind } from "../body.ts";
import { evaluate } from "../evaluate.ts";
import type { Frame } from "../frame.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import { checkType, showType } from "../type.ts";
import { kindInWords, unknown } from "../values.ts";
import type { CallableValue, CheckValue, DataValue, OptimizerValue, TensorValue } from "../values.ts";
import { columnTensors } from "./batch.ts";
import { applyTo, argumentsOf, control, lineText, runModel } from "./block.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { lossNotSingle } from "./diagnostics/dlm0701-loss-not-single.ts";
import { runOptimizer } from "./optimizer.ts";
import type { OptimizerInputs, OptimizerUpdate } from "./optimizer.ts";
import type { TrainSettings } from "./train-settings.ts";
import { textOf } from "../../../grammar/source.ts";

/** A block whose names are resolved. */
export interface TrainBlock {
  readonly declaration: WorkflowDeclaration;
  readonly scope: FileScope;
  readonly model: CallableValue;
  readonly data: DataValue;
  readonly settings: TrainSettings;
}

/** The model and the loss on one batch, in the phase of the frame. */
export interface Forward {
  readonly columns: ReadonlyMap<string, TensorValue>;
  readonly out: CheckValue;
  /** the sum of the terms, rank 0; undefined after a diagnostic */
  readonly loss: TensorValue | undefined;
  readonly terms: readonly { readonly name: string; readonly value: TensorValue }[];
}

/** `frame` is the block's own; its locals are filled. */
export function runForward(frame: Frame, block: TrainBlock): Forward | undefined {
  const { builder } = frame.elaboration;
  const { values } = frame.locals;
  const scalar = (name: string, input: string): void => {
    const span = block.declaration.name.span;
    const value = builder && control(builder, input, "f32");
    values.set(name, { kind: "tensor", type: checkType("f32", []), value, span });
  };
  scalar("epoch", "steps_per_epoch");
  scalar("step", "step");
  const columns = columnTensors(block.data, builder);
  const given = argumentsOf(frame, block.model, block.data, columns, block.declaration);
  for (const [name, tensor] of columns) values.set(name, tensor);
  const out = given ? runModel(frame, block.model, given, block.declaration) : unknown;
  if (out.kind === "unknown") return undefined;
  values.set("out", out);
  for (const { name, value } of block.settings.bindings)
    bind(frame, [name], evaluate(frame, value), value.span);
  return { columns, out, ...runLoss(frame, block) };
}

function runLoss(frame: Frame, block: TrainBlock): Pick<Forward, "loss" | "terms"> {
  const { session, builder } = frame.elaboration;
  const terms: { name: string; value: TensorValue }[] = [];
  let sound = block.settings.loss.length > 0;
  for (const { name, expression } of block.settings.loss) {
    const value = evaluate(frame, expression);
    const tensor = value.kind === "unknown" ? undefined : asTensor(frame, value, expression.span);
    if (tensor && isSingle(tensor)) terms.push({ name: name ?? "loss", value: tensor });
    else {
      sound = false;
      if (tensor) session.report(frame, lossNotSingle, notSingle(tensor, expression.span));
      else if (value.kind !== "unknown")
        session.add(
          report(settingValue, {
            setting: "loss",
            needs: "a number to make small",
            span: expression.span,
            found: `this is ${kindInWords(value)}`,
          }),
        );
    }
  }
  const [first] = terms;
  if (!sound || !first) return { loss: undefined, terms };
  const values = terms.flatMap((term) => term.value.value ?? []);
  const sum =
    builder && values.length === terms.length ? values.reduce((a, b) => build.add(builder, a, b)) : undefined;
  return { loss: { ...first.value, value: sum, span: block.settings.lossSpan }, terms };
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

/** The optimizer of a block; undefined after a diagnostic, or where there is none. */
export function optimizerOf(frame: Frame, block: TrainBlock): OptimizerValue | undefined {
  const expression = block.settings.optimizer;
  if (expression === undefined) return undefined;
  const value = evaluate(frame, expression);
  if (value.kind === "optimizer") return value;
  if (value.kind !== "unknown")
    frame.elaboration.session.add(
      report(settingValue, {
        setting: "optimizer",
        needs: "an optimizer such as `adam(1e-3)`",
        span: expression.span,
        found: `this is ${kindInWords(value)}`,
      }),
    );
  return undefined;
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
  const { session } = frame.elaboration;
  const { configuration, name } = optimizer.declaration;
  const callee: Callee = {
    name: name.text,
    kind: "builtin",
    configuration: configuration.map((p) => ({
      name: p.name.text,
      ...(p.default ? { optional: true as const } : {}),
    })),
    tensors: [],
    signature: `${name.text}(${configuration.map((p) => textOf(p.span)).join(", ")})`,
  };
  const bound = bindArguments(frame, callee, optimizer.arguments ?? [], nothingBound, undefined);
  if (!bound) return false;
  for (const parameter of configuration) {
    const argument = bound.configuration.get(parameter.name.text);
    if (argument === undefined && parameter.default === undefined) {
      session.report(frame, missingConfiguration, {
        span: optimizer.span,
        name: name.text,
        missing: [parameter.name.text],
        parameters: callee.configuration.map((p) => ({ name: p.name, optional: p.optional === true })),
        declared: name.span,
      });
      return false;
    }
    const value = argument?.value ?? evaluate(inner, parameter.default!);
    const applied = applyTo(frame, value, inputs.step, argument?.span ?? optimizer.span);
    if (applied.kind === "unknown") return false;
    const rate =
      parameter.name.text === "rate" && inputs.changeRate && asTensor(frame, applied, optimizer.span);
    inner.locals.values.set(
      parameter.name.text,
      rate && rate.value ? { ...rate, value: inputs.changeRate!(rate.value) } : applied,
    );
  }
  return true;
}

/** How a block is written, for plans and reports. */
export function optimizerText(block: TrainBlock): string {
  return block.settings.optimizer ? lineText(block.settings.optimizer) : "";
}
