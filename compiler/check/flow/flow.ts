/**
 * The workflow side of the checker: `data` declarations for the names of the program, then every `train`, `evaluate`
 * and `deploy` block. One object a run; it holds what was found so far.
 */
import type { CallableDeclaration, DataDeclaration, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import * as dim from "../../ir/dim.ts";
import { isBroken } from "../names.ts";
import type { FileScope } from "../names.ts";
import { dimNumber } from "../numbers.ts";
import type { Hooks, Session } from "../session.ts";
import type { CheckValue, DataValue } from "../values.ts";
import { blockFrame, flowContext, modelOf } from "./block.ts";
import { checkCheck } from "./check-check.ts";
import type { CheckedCheck } from "./check-check.ts";
import { checkEvaluate } from "./check-evaluate.ts";
import { checkTrain } from "./check-train.ts";
import type { CheckedTrain } from "./check-train.ts";
import { checkedColumn, lateName, reservedInputs } from "./columns.ts";
import { readData } from "./data.ts";
import { readDeploy } from "./deploy.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { notBuilt } from "./diagnostics/dlm0120-not-built.ts";
import type { Facts } from "./facts.ts";
import { checkOptimizerAlone } from "./optimizer-alone.ts";
import type { DataPlan, DeployPlan, EvaluatePlan, FlowPlans } from "./plans.ts";
import { settingTables } from "./setting-tables.ts";
import { readSettings } from "./settings.ts";

export interface CheckedFlow {
  readonly plans: FlowPlans;
  readonly trains: readonly CheckedTrain[];
  readonly checks: readonly CheckedCheck[];
}

export interface Flow {
  /** for `check` */
  readonly hooks: Hooks;
  /** what the blocks of a file became, once it has been checked */
  of(scope: FileScope): CheckedFlow;
}

export function createFlow(facts: Facts): Flow {
  const plans = new Map<string, DataPlan>();
  const planOf = (key: string): DataPlan | undefined => plans.get(key);
  const checked = new Map<FileScope, CheckedFlow>();
  return {
    hooks: {
      data(session, scope, declaration) {
        const context = flowContext(session, scope, facts);
        if (!isBroken(scope, declaration.span)) {
          const plan = readData(declaration, context);
          plans.set(plan.key, plan);
          return dataValue(declaration, plan);
        }
        // its syntax error is the one to mend, and no block can be held against what it does not say
        const plan = readData(declaration, { ...context, diagnose: () => {} });
        return { ...dataValue(declaration, plan), unsound: true };
      },
      file: (session, scope) => void checked.set(scope, checkBlocks(session, scope)),
    },
    of: (scope) =>
      checked.get(scope) ?? {
        plans: { data: [], train: [], evaluate: [], deploy: [] },
        trains: [],
        checks: [],
      },
  };

  function checkBlocks(session: Session, scope: FileScope): CheckedFlow {
    const trains: CheckedTrain[] = [];
    const evaluate: EvaluatePlan[] = [];
    const deploy: DeployPlan[] = [];
    for (const declaration of scope.file.declarations) {
      switch (declaration.kind) {
        case "model":
          refuseNames(session, declaration);
          break;
        case "train": {
          const found = checkTrain(session, scope, declaration, facts, planOf);
          if (found) trains.push(found);
          break;
        }
        case "evaluate": {
          const found = checkEvaluate(session, scope, declaration, facts, planOf, trains);
          if (found) evaluate.push(found);
          break;
        }
        case "deploy": {
          const model = modelOf(blockFrame(session, scope, "inference", undefined), declaration);
          deploy.push(readDeploy(session, scope, declaration, model, flowContext(session, scope, facts)));
          break;
        }
        case "tune":
          refuse(session, scope, declaration);
          break;
        default:
      }
    }
    // after the blocks, which tell of a mistake with what they give
    for (const declaration of scope.file.declarations)
      if (declaration.kind === "optimizer") checkOptimizerAlone(session, scope, declaration);
    return {
      plans: { data: [...plans.values()], train: trains.map((t) => t.plan), evaluate, deploy },
      trains,
      checks: checksOf(session, scope, trains, planOf),
    };
  }
}

/** Every `check` block, after all that it may speak of. */
function checksOf(
  session: Session,
  scope: FileScope,
  trains: readonly CheckedTrain[],
  plans: (key: string) => DataPlan | undefined,
): CheckedCheck[] {
  // what has a mistake is not run, not even to look at it: the mistake is told where it stands
  const sound = !session.diagnostics.some(({ severity }) => severity === "error");
  return scope.file.declarations.flatMap((declaration) =>
    declaration.kind === "check"
      ? (checkCheck(session, scope, declaration, { trains, sound, plans }) ?? [])
      : [],
  );
}

function dataValue(declaration: DataDeclaration, plan: DataPlan): DataValue {
  const exports = new Map<string, CheckValue>();
  for (const { classes, span } of plan.columns) {
    const name = classes && lateName(classes.dim);
    if (!classes || name === undefined) continue;
    const size = classes.size === undefined ? dim.symbol(classes.dim) : dim.constant(classes.size);
    exports.set(name, dimNumber(size, { kind: "data", span, name: classes.dim }, name));
  }
  return { kind: "data", declaration, split: undefined, columns: plan.columns.map(checkedColumn), exports };
}

/** Tensors of a model are inputs of its entries, beside those that every entry may have. */
function refuseNames(session: Session, { tensors }: CallableDeclaration): void {
  for (const { name } of tensors) {
    const meaning = reservedInputs.get(name.text);
    if (meaning === undefined) continue;
    const found = `\`${name.text}\` is what training itself calls ${meaning}`;
    session.add(
      report(settingValue, {
        setting: "model",
        needs: "other names for its tensors",
        span: name.span,
        found,
      }),
    );
  }
}

/** `tune` blocks: their names are looked at, and the block is refused whole. */
function refuse(session: Session, scope: FileScope, declaration: WorkflowDeclaration): void {
  const table = settingTables.find((t) => t.block === declaration.kind)!;
  const quiet = {
    ...table,
    settings: table.settings.map(({ name, signature, doc }) => ({
      name,
      signature,
      doc,
      many: true as const,
      anyName: true as const,
      block: true as const,
    })),
  };
  readSettings(
    quiet,
    declaration.settings,
    { diagnose: (d) => d.code === "DLM0104" && session.add(d), isBroken: (span) => isBroken(scope, span) },
    { bindings: false },
  );
  session.add(report(notBuilt, { what: `\`${declaration.kind}\` blocks`, span: declaration.name.span }));
}
