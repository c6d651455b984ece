/** The stages of a `train` block: the block's loss, with an optimizer, epochs and frozen parts of their own. */
import type { WorkflowDeclaration } from "../../../grammar/ast.ts";
import { report } from "../../../grammar/diagnostic.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import type { DataPlan } from "./plans.ts";
import { stageSettings } from "./setting-tables.ts";
import { number, readSettings } from "./settings.ts";
import type { NumberRange } from "../number-range.ts";
import type { CallSetting, FlowContext, ReadSettings } from "./settings.ts";
import { freezeLines, lossesFor, partOf } from "./train-parts.ts";
import type { PartSettings } from "./train-parts.ts";
import { stopOf } from "./watches.ts";

const signature = "stage head { freeze backbone, optimizer adam(1e-3), epochs 3 }";
const defaultEpochs = 10;

/** What a stage does not say, the block says for it; freezing goes on from stage to stage. */
export function readStages(
  read: ReadSettings,
  declaration: WorkflowDeclaration,
  data: DataPlan | undefined,
  context: FlowContext,
): PartSettings[] {
  const seen = new Set<string>();
  let freeze = freezeLines(read);
  return (read.calls.get("stage") ?? []).flatMap((setting) => {
    const name = nameOf(setting, seen, context);
    if (name === undefined || !setting.settings) return [];
    seen.add(name);
    const own = readSettings(stageSettings, setting.settings, context, { bindings: false });
    freeze = [...freeze, ...freezeLines(own)];
    const calls = new Map([...read.calls, ...own.calls]);
    const both: ReadSettings = { calls, bindings: [], broken: read.broken || own.broken };
    // without a loss, the block lacks it
    const span = calls.has("loss") ? setting.arguments[0]!.span : declaration.name.span;
    const block = calls.has("loss") ? "stage" : "train";
    const part = partOf(both, { block, span, step: undefined, examples: lossesFor(data) }, context);
    const epochs = calls.get("epochs")?.[0];
    const range: NumberRange = { whole: true, least: 1 };
    return [
      {
        ...part,
        freeze,
        stage: {
          name,
          span: setting.arguments[0]!.span,
          epochs:
            (epochs && number("epochs", epochs.arguments[0]?.value, range, epochs.span, context)) ??
            defaultEpochs,
          stop: stopOf(calls.get("stop")?.[0], data, [], context),
        },
      },
    ];
  });
}

/** Undefined after a diagnostic. */
function nameOf(setting: CallSetting, seen: ReadonlySet<string>, context: FlowContext): string | undefined {
  const [first, second] = setting.arguments;
  const name = first?.value.kind === "name" ? first.value.text : undefined;
  const found = second
    ? "this is one too many"
    : name === undefined
      ? "what is the stage called?"
      : seen.has(name)
        ? "an earlier stage has this name"
        : setting.settings
          ? undefined
          : "no block follows";
  if (found === undefined) return name;
  context.diagnose(
    report(settingValue, {
      setting: "stage",
      needs: "a name of its own, and a block",
      span: (second ?? first)?.span ?? setting.span,
      found,
      signature,
    }),
  );
  return undefined;
}
