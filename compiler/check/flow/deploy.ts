/** A `deploy` block becomes its plan. Only what is built is taken; the rest is refused by name. */
import type { Argument, Expression, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { evaluate } from "../evaluate.ts";
import type { Frame } from "../frame.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import { kindInWords, unknown } from "../values.ts";
import type { CallableValue, CheckValue } from "../values.ts";
import { blockFrame } from "./block.ts";
import { checkGenerate } from "./generate.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { DeployInput, DeployOutput, DeployPlan } from "./plans.ts";
import { runAlone } from "./run-alone.ts";
import { deploySettings } from "./setting-tables.ts";
import { readSettings, word, wordOf } from "./settings.ts";
import type { FlowContext, ReadSettings } from "./settings.ts";

const lines = {
  input: {
    signature: "input z = normal[B, Z]",
    from: "a tensor computed from what the app gives",
  },
  output: {
    signature: "output probabilities = softmax(out) over Class",
    from: "tensors computed from `out` and the inputs",
  },
} as const;
type Line = keyof typeof lines;

const targets = ["wasm", "webgpu", "node"] as const;
const laterWeights = ["int8"];
const storedAs = ["f32", "f16"] as const;

/** `model`: undefined where there is none of the name. */
export function readDeploy(
  session: Session,
  scope: FileScope,
  declaration: WorkflowDeclaration,
  model: CallableValue | undefined,
  context: FlowContext,
): DeployPlan {
  const { calls } = readSettings(deploySettings, declaration.settings, context, { bindings: false });
  const chosen: (typeof targets)[number][] = [];
  for (const { value } of calls.get("target")?.[0]?.arguments ?? []) {
    const target = word("target", value, targets, value.span, context);
    if (target) chosen.push(target);
  }
  const weights = calls.get("weights")?.[0]?.arguments[0]?.value;
  let stored: (typeof storedAs)[number] | undefined;
  if (weights && laterWeights.includes(wordOf(weights) ?? ""))
    context.diagnose(
      report(notBuilt, { what: `weights stored as \`${wordOf(weights)}\``, span: weights.span }),
    );
  else if (weights) stored = word("weights", weights, storedAs, weights.span, context);
  const generate = calls.get("generate")?.[0];
  return {
    name: declaration.name.text,
    model: declaration.name.text,
    span: declaration.name.span,
    targets: chosen.length === 0 ? ["wasm"] : chosen,
    weights: stored ?? "f32",
    ...(model ? deployed(session, scope, model, calls, context) : { inputs: [], outputs: [] }),
    generate: generate && model && checkGenerate(session, model, generate, context),
  };
}

/** What an app gives and gets in the place of the model's own; empty after a diagnostic. */
function deployed(
  session: Session,
  scope: FileScope,
  model: CallableValue,
  calls: ReadSettings["calls"],
  context: FlowContext,
): Pick<DeployPlan, "inputs" | "outputs"> {
  const given = (name: Line): readonly Argument[] =>
    (calls.get(name) ?? []).flatMap((each) => each.arguments);
  const nothing = { inputs: [], outputs: [] };
  if (given("input").length + given("output").length === 0) return nothing;
  if (session.alone.get(model.declaration) === "failed") return nothing;
  const frame = blockFrame(session, scope, "inference", undefined);
  const before = session.errors();
  const inputs = inputsOf(model, given("input"), context);
  const out = runAlone(frame, model, inputs, (expression) => computed(frame, "input", expression, context));
  if (!out || out.kind === "unknown" || session.errors() > before) return nothing;
  frame.locals.values.set("out", out);
  return { inputs, outputs: outputsOf(frame, given("output"), context) };
}

function refuse(setting: Line, needs: string, span: Span, found: string, context: FlowContext): undefined {
  context.diagnose(
    report(settingValue, { setting, needs, span, found, signature: lines[setting].signature }),
  );
}

/** Names of inputs, each once. */
function inputsOf(
  { declaration }: CallableValue,
  given: readonly Argument[],
  context: FlowContext,
): readonly DeployInput[] {
  const inputs = new Map<string, DeployInput>();
  const own = declaration.tensors.map(({ name }) => `\`${name.text}\``).join(", ");
  const takes = `${declaration.name.text} takes ${own}`;
  for (const { name, value: expression, span } of given) {
    if (!name) refuse("input", "the name of an input of the model", span, takes, context);
    else if (!declaration.tensors.some((each) => each.name.text === name.text))
      refuse("input", "the name of an input of the model", name.span, takes, context);
    else if (inputs.has(name.text))
      refuse("input", "each input once", span, `\`${name.text}\` is computed already`, context);
    else inputs.set(name.text, { name: name.text, expression });
  }
  return [...inputs.values()];
}

function outputsOf(frame: Frame, given: readonly Argument[], context: FlowContext): readonly DeployOutput[] {
  const outputs = new Map<string, DeployOutput>();
  for (const { name, value: expression, span } of given) {
    const text = name?.text ?? "out";
    if (computed(frame, "output", expression, context).kind === "unknown") continue;
    if (outputs.has(text))
      refuse("output", "a name of its own for each", span, `another one is called \`${text}\``, context);
    else outputs.set(text, { name: text, expression });
  }
  return [...outputs.values()];
}

/** Unknown after a diagnostic. */
function computed(frame: Frame, line: Line, expression: Expression, context: FlowContext): CheckValue {
  const { requested } = frame.elaboration;
  const weights = requested.size;
  const value = evaluate(frame, expression);
  if (value.kind === "unknown") return value;
  if (requested.size > weights)
    refuse(
      line,
      "no weights of its own",
      expression.span,
      "what holds weights belongs into the model",
      context,
    );
  else if (value.kind === "tensor" || (value.kind === "number" && line === "input")) return value;
  else refuse(line, lines[line].from, expression.span, `this is ${kindInWords(value)}`, context);
  return unknown;
}
