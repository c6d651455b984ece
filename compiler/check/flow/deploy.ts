/** A `deploy` block becomes its plan. Only what is built is taken; the rest is refused by name. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { elaborate, workflowFrame } from "../elaborate.ts";
import { evaluate } from "../evaluate.ts";
import type { Session } from "../session.ts";
import { kindInWords } from "../values.ts";
import type { CallableValue } from "../values.ts";
import { checkGenerate } from "./generate.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { DeployOutput, DeployPlan } from "./plans.ts";
import { deploySettings } from "./setting-tables.ts";
import { readSettings, word, wordOf } from "./settings.ts";
import type { CallSetting, FlowContext } from "./settings.ts";

const signature = "output probabilities = softmax(out) over Class";
const targets = ["wasm", "node"] as const;
const laterTargets = ["webgpu"];
const laterWeights = ["int8"];
const storedAs = ["f32", "f16"] as const;

/** `model`: undefined where there is none of the name. */
export function readDeploy(
  session: Session,
  declaration: WorkflowDeclaration,
  model: CallableValue | undefined,
  context: FlowContext,
): DeployPlan {
  const { calls } = readSettings(deploySettings, declaration.settings, context, { bindings: false });
  const chosen: (typeof targets)[number][] = [];
  for (const { value } of calls.get("target")?.[0]?.arguments ?? []) {
    if (laterTargets.includes(wordOf(value) ?? "")) {
      context.diagnose(report(notBuilt, { what: `the target \`${wordOf(value)}\``, span: value.span }));
      continue;
    }
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
    outputs: model ? outputsOf(session, model, calls.get("output") ?? [], context) : [],
    generate: generate && model && checkGenerate(session, model, generate, context),
  };
}

/** Those that are sound; each is looked at with the model's result and inputs as what it may speak of. */
function outputsOf(
  session: Session,
  { declaration, scope }: CallableValue,
  settings: readonly CallSetting[],
  context: FlowContext,
): readonly DeployOutput[] {
  if (settings.length === 0 || session.alone.get(declaration) === "failed") return [];
  const { elaboration, inputs, result } = elaborate(session, scope, declaration, { phase: "inference" });
  if (result.kind === "unknown") return [];
  const frame = workflowFrame(elaboration, scope, "inference", new Map([...inputs, ["out", result]]));
  const outputs = new Map<string, DeployOutput>();
  const wrong = (span: Span, needs: string, found: string): void =>
    context.diagnose(report(settingValue, { setting: "output", needs, span, found, signature }));
  for (const { name, value: expression, span } of settings.flatMap((each) => each.arguments)) {
    const weights = elaboration.requested.size;
    const value = evaluate(frame, expression);
    if (value.kind === "unknown") continue;
    const text = name?.text ?? "out";
    if (value.kind !== "tensor")
      wrong(expression.span, "tensors computed from `out` and the inputs", `this is ${kindInWords(value)}`);
    else if (elaboration.requested.size > weights)
      wrong(expression.span, "no weights of its own", "what holds weights belongs into the model");
    else if (outputs.has(text))
      wrong(span, "a name of its own for each", `another one is called \`${text}\``);
    else outputs.set(text, { name: text, expression });
  }
  return [...outputs.values()];
}
