/** Checks an `evaluate` block: what is measured must fit the model's output and its target. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import type { FileScope } from "../names.ts";
import type { Session } from "../session.ts";
import { showType } from "../type.ts";
import { columnTensors } from "./batch.ts";
import { refuseRowsOfApp } from "./app-rows.ts";
import { argumentsOf, blockFrame, dataOf, flowContext, modelOf, runModel } from "./block.ts";
import type { CheckedTrain } from "./check-train.ts";
import { readEvaluateSettings, taskOf } from "./evaluate.ts";
import { dataKey } from "./facts.ts";
import type { Facts } from "./facts.ts";
import type { DataPlan, EvaluatePlan } from "./plans.ts";

export function checkEvaluate(
  session: Session,
  scope: FileScope,
  declaration: WorkflowDeclaration,
  facts: Facts,
  plans: (key: string) => DataPlan | undefined,
  trains: readonly CheckedTrain[],
): EvaluatePlan | undefined {
  const frame = blockFrame(session, scope, "inference", undefined);
  const model = modelOf(frame, declaration);
  const data = dataOf(frame, declaration);
  const plan = data && plans(dataKey(data.declaration));
  const given = model && data && argumentsOf(frame, model, data, columnTensors(data, undefined), declaration);
  const out = model && given ? runModel(frame, model, given, declaration) : undefined;
  const train = model && trains.find((t) => t.block.model?.declaration === model.declaration);
  const targets = data?.columns.filter((c) => c.role === "target") ?? [];
  const target =
    targets.find((c) => c.name === train?.plan.targets[0]) ?? (targets.length === 1 ? targets[0] : undefined);
  // where the train block's loss has an error, that error is the one to mend
  const judged = train === undefined || train.plan.parts.every((part) => part.loss.terms.length > 0);
  const task = judged && out && out.kind !== "unknown" ? taskOf(out, target) : undefined;
  const settings = readEvaluateSettings(
    declaration,
    {
      declaration: data?.declaration,
      data: plan,
      task,
      out: out?.kind === "tensor" ? showType(out.type) : "several values",
    },
    flowContext(session, scope, facts),
  );
  if (!model || !data || !plan) return undefined;
  refuseRowsOfApp(
    plan,
    "`evaluate`",
    declaration.on?.span ?? declaration.name.span,
    "remove the block: `measure` of the compiled model gives the loss and the outputs of a batch",
    { diagnose: (diagnostic) => session.add(diagnostic) },
  );
  return {
    name: declaration.name.text,
    model: model.declaration.name.text,
    span: declaration.name.span,
    data: plan.key,
    split: data.split === "train" || data.split === "valid" ? data.split : "test",
    target: target?.name,
    task: task ?? "other",
    ...settings,
  };
}
