/** Sums that choose what they add: scalar code that lowering and backends read alike. */
import type { Stage } from "./kernel.ts";
import type { Scalar } from "./scalar.ts";

/** A sum of `condition ? value : 0`; undefined of other stages. */
export function chosenOf({
  combine,
  value,
}: Stage): { readonly condition: Scalar; readonly value: Scalar } | undefined {
  if (combine !== "sum" || value.kind !== "apply" || !value.instruction.startsWith("select"))
    return undefined;
  const [condition, chosen, other] = value.operands as [Scalar, Scalar, Scalar];
  return other.kind === "constant" && other.value === 0 ? { condition, value: chosen } : undefined;
}

/** The two sides of the condition `id = row` of such a sum. */
export function numbersOf(stage: Stage): readonly [id: Scalar, row: Scalar] | undefined {
  const condition = chosenOf(stage)?.condition;
  if (condition?.kind !== "apply" || condition.instruction !== "eq_i32") return undefined;
  const [a, b] = condition.operands as [Scalar, Scalar];
  if (b.kind === "index") return [a, b];
  return a.kind === "index" ? [b, a] : undefined;
}
