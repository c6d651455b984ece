/** A `deploy` block becomes its plan. Only what is built is taken; the rest is refused by name. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import type { Session } from "../session.ts";
import type { CallableValue } from "../values.ts";
import { checkGenerate } from "./generate.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import type { DeployPlan } from "./plans.ts";
import { deploySettings } from "./setting-tables.ts";
import { readSettings, word, wordOf } from "./settings.ts";
import type { FlowContext } from "./settings.ts";

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
    generate: generate && model && checkGenerate(session, model, generate, context),
  };
}
