/** Free dims of entries: the bounds that `where` states, and the sizes that memory is planned for by default. */
import type { Expression } from "../../grammar/ast.ts";
import { blockFrame } from "../check/flow/block.ts";
import type { TrainPlan } from "../check/flow/plans.ts";
import { evaluate } from "../check/evaluate.ts";
import type { Session } from "../check/session.ts";
import type { CallableValue } from "../check/values.ts";
import type { Graph } from "../ir/graph.ts";

/** Rows of one call where rows are independent and nothing else is said. */
const defaultRows = 32;

/** `where T <= context`, `where T < 9`: the largest size of T. */
export function boundsOf(
  session: Session,
  { declaration, scope }: CallableValue,
): ReadonlyMap<string, number> {
  const frame = blockFrame(session, scope, "inference", undefined);
  const bounds = new Map<string, number>();
  const number = (expression: Expression): number | undefined => {
    const value = evaluate({ ...frame, muted: true }, expression);
    return value.kind === "number" ? value.value : undefined;
  };
  for (const fact of declaration.where) {
    if (fact.kind !== "binary") continue;
    const { operator, left, right } = fact;
    const upper = operator === "<=" || operator === "<";
    const lower = operator === ">=" || operator === ">";
    const [name, limit] = upper ? [left, right] : lower ? [right, left] : [undefined, undefined];
    if (name?.kind !== "name" || !limit) continue;
    const value = number(limit);
    if (value === undefined) continue;
    const most = Math.floor(operator === "<" || operator === ">" ? value - 1 : value);
    bounds.set(name.text, Math.min(most, bounds.get(name.text) ?? most));
  }
  return bounds;
}

export function defaultSizes(
  graph: Graph,
  rows: boolean,
  plan: TrainPlan | undefined,
): ReadonlyMap<string, number> {
  const trains = ["train", "measure", "grad", "sample"].includes(graph.name.split(".")[0]!);
  return new Map(
    graph.dims.map(({ name, max }, i) => {
      if (i === 0 && trains && plan) return [name, plan.batch];
      return [name, max ?? (i === 0 && rows ? defaultRows : 1)];
    }),
  );
}
