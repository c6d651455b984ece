/** Data `from app`: what only rows that dlmc reads can have is refused, in all blocks by one diagnostic. */
import { report } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import { settingValue } from "./diagnostics/dlm0121-setting-value.ts";
import { rowsOfApp } from "./diagnostics/dlm0608-rows-of-app.ts";
import type { ColumnPlan, DataPlan } from "./plans.ts";
import { named } from "./settings.ts";
import type { FlowContext, ReadSettings } from "./settings.ts";

type Diagnose = Pick<FlowContext, "diagnose">;

/** DLM0608, where the rows of a data block are given by an app. `what` is in words: "`epochs`". */
export function refuseRowsOfApp(
  { name, reader }: Pick<DataPlan, "name" | "reader">,
  what: string,
  span: Span,
  help: string,
  { diagnose }: Diagnose,
): void {
  if (reader.kind === "app") diagnose(report(rowsOfApp, { what, span, data: name, from: reader.span, help }));
}

/** What only rows that are read can have. */
const ofRows = ["drop", "fill", "split", "shuffle", "augment", "tokenize", "window"] as const;

export function checkAppData(
  data: Pick<DataPlan, "name" | "reader">,
  columns: readonly ColumnPlan[],
  calls: ReadSettings["calls"],
  context: Diagnose,
): void {
  const help = "remove it, and give `step` the rows as they are to be";
  for (const { name } of ofRows.flatMap((each) => calls.get(each)?.slice(0, 1) ?? []))
    refuseRowsOfApp(data, `\`${name.text}\``, name.span, help, context);
  for (const { name, kind, classes, role, span } of columns)
    if (kind === "category" && !classes?.names)
      context.diagnose(
        report(settingValue, {
          setting: role,
          needs: "the names of a category that an app gives",
          span,
          found: "there are no rows to find them in",
          signature: `${role} ${name} : category("left", "right")`,
        }),
      );
}

/** Lines that are about a loop over all rows: where an app gives them, the loop is the app's too. */
const ofLoop: ReadonlySet<string> = new Set(
  "epochs steps shuffle seed stop keep plateau average sample".split(" "),
);

/** The settings of a train block that are left: what was refused is wrong in no other way. */
export function refuseLoop(
  data: DataPlan | undefined,
  calls: ReadSettings["calls"],
  context: Diagnose,
): ReadSettings["calls"] {
  if (data?.reader.kind !== "app") return calls;
  const help = "remove it: the app calls `step` as often as it wants, and keeps what it wants of `weights()`";
  const last = calls.get("batch")?.flatMap((setting) => named(setting, "last")?.name ?? []) ?? [];
  const names = [...ofLoop, "stage"].flatMap((each) => calls.get(each)?.[0]?.name ?? []);
  for (const { text, span } of [...names, ...last]) refuseRowsOfApp(data, `\`${text}\``, span, help, context);
  return new Map([...calls].filter(([name]) => !ofLoop.has(name)));
}
