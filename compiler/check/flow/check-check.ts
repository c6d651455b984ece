/** Checks a `check` block: what it is about, and what is to be tried when it is run. */
import type { Expression, WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { textOf } from "../../../grammar/source.ts";
import type { FileScope } from "../names.ts";
import { evaluateName } from "../lookup.ts";
import type { Session } from "../session.ts";
import { kindInWords } from "../values.ts";
import type { CallableValue } from "../values.ts";
import { blockFrame, flowContext } from "./block.ts";
import { refuseRowsOfApp } from "./app-rows.ts";
import type { CheckedTrain } from "./check-train.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { noFacts } from "./facts.ts";
import { backends } from "./plans.ts";
import type { Backend, CheckPlan, DataPlan } from "./plans.ts";
import { missingToRun } from "./subject.ts";
import { checkSettings } from "./setting-tables.ts";
import { named, namedNumber, readSettings, unnamed, word, wordOf } from "./settings.ts";
import type { CallSetting, FlowContext } from "./settings.ts";

export interface CheckedCheck {
  readonly plan: CheckPlan;
  readonly callable: CallableValue;
  /** of `overfit` */
  readonly train: CheckedTrain | undefined;
}

/** Undefined where the block speaks of nothing that can be run; what else is wrong has been reported. */
export function checkCheck(
  session: Session,
  scope: FileScope,
  declaration: WorkflowDeclaration,
  {
    trains,
    sound,
    plans,
  }: {
    readonly trains: readonly CheckedTrain[];
    readonly sound: boolean;
    readonly plans: (key: string) => DataPlan | undefined;
  },
): CheckedCheck | undefined {
  const context = flowContext(session, scope, noFacts);
  const { calls } = readSettings(checkSettings, declaration.settings, context, { bindings: false });
  const callable = subjectOf(session, scope, declaration, sound);
  if (!callable) return undefined;
  const train = trains.find(({ block }) => block.model?.declaration === callable.declaration);
  const [gradient, same, overfit, golden] = ["gradient", "same", "overfit", "golden"].map(
    (name) => calls.get(name)?.[0],
  );
  if (overfit && !train)
    context.diagnose(
      report(settingValue, {
        setting: "overfit",
        needs: `a \`train\` block of \`${declaration.name.text}\` in this file`,
        span: overfit.name.span,
        found: "on which rows, and by which optimizer?",
      }),
    );
  const batch = overfit && unnamed(overfit)[0];
  if (batch) word("overfit", batch.value, ["one batch"], batch.span, context);
  if (overfit && train) {
    const data = plans(train.plan.data);
    const help = "remove it: an app can do the same with `step`";
    if (data) refuseRowsOfApp(data, "`overfit`", overfit.name.span, help, context);
  }
  const plan: CheckPlan = {
    name: declaration.name.text,
    span: declaration.name.span,
    gradient: gradient && { span: gradient.span, within: tolerance(gradient, 1e-3, context) },
    same: same && {
      span: same.span,
      across: acrossOf(same, context),
      within: tolerance(same, 1e-5, context),
    },
    overfit: overfit && {
      span: overfit.span,
      steps: namedNumber(overfit, "steps", { whole: true, least: 1 }, 300, context),
      part: namedNumber(overfit, "part", { above: 0, most: 1 }, 0.1, context),
    },
    golden: golden && goldenOf(golden, context),
  };
  return { plan, callable, train };
}

/** A declaration that runs by itself; undefined after a diagnostic. */
function subjectOf(
  session: Session,
  scope: FileScope,
  { name: { text, span } }: WorkflowDeclaration,
  sound: boolean,
): CallableValue | undefined {
  const frame = blockFrame(session, scope, "training", undefined);
  const found = evaluateName(frame, { kind: "name", text, span });
  const wrong = (needs: string, what: string): undefined => {
    session.add(report(settingValue, { setting: "check", needs, span, found: what }));
  };
  if (found.kind === "unknown") return undefined;
  if (found.kind !== "callable")
    return wrong("a model, a module or a function of tensors", `this is ${kindInWords(found)}`);
  if (!sound) return undefined;
  const missing = missingToRun(session, found);
  if (!missing) return found;
  if (missing.kind === "result")
    return wrong("a declaration that gives tensors", `\`${text}\` gives none by itself`);
  const names = missing.names.map((name) => `\`${name}\``).join(", ");
  return wrong("a declaration that runs by itself", `nothing says what ${names} is: give it a default`);
}

function tolerance(setting: CallSetting, otherwise: number, context: FlowContext): number {
  return namedNumber(setting, "within", { above: 0 }, otherwise, context);
}

/** `[reference, wasm]` where nothing is said, since not every machine has WebGPU; the reference is always what others are compared with. */
function acrossOf(setting: CallSetting, context: FlowContext): readonly Backend[] {
  const given = named(setting, "across")?.value;
  if (given === undefined) return ["reference", "wasm"];
  const items: readonly (Expression | undefined)[] =
    given.kind === "list"
      ? given.items.map((item) => (item.kind === "axis" && !item.label ? item.size : undefined))
      : [given];
  return items.flatMap((item) => word("across", item, backends, item?.span ?? given.span, context) ?? []);
}

function goldenOf(setting: CallSetting, context: FlowContext): CheckPlan["golden"] {
  const [value] = unnamed(setting).map((argument) => argument.value);
  const file =
    value?.kind === "call" && wordOf(value.callee) === "file" && value.arguments.length === 1
      ? value.arguments[0]!.value
      : undefined;
  if (file?.kind === "string")
    return { span: setting.span, file: file.value, within: tolerance(setting, 1e-5, context) };
  if (value?.kind !== "hole")
    context.diagnose(
      report(settingValue, {
        setting: "golden",
        needs: 'a file of recorded results, `file("golden.json")`',
        span: value?.span ?? setting.span,
        found: value ? `this is \`${textOf(value.span)}\`` : "nothing follows",
      }),
    );
  return undefined;
}
