/** What generated types and reports say of inputs and outputs: names of axes, and of classes. */
import type { DataPlan, TrainPlan } from "../check/flow/plans.ts";
import { textRule } from "../check/flow/row-text.ts";
import type { AxisItem, Type } from "../../grammar/ast.ts";
import type { CallableValue } from "../check/values.ts";
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { TensorFacts } from "../ir/model.ts";

export function tensorFacts(
  graph: Graph,
  model: CallableValue | undefined,
  data: readonly DataPlan[],
  train: TrainPlan | undefined,
): ReadonlyMap<string, TensorFacts> {
  const facts = new Map<string, TensorFacts>();
  const own = train ? data.filter((plan) => plan.key === train.data) : data;
  const columns = own.flatMap((plan) => plan.columns);
  for (const { source, type } of graph.inputs) {
    if (isNode(source) || source.role !== "input") continue;
    const column = columns.find((each) => each.name === source.name);
    const parameter = model?.declaration.tensors.find((each) => each.name.text === source.name);
    const labels = parameter ? labelsOf(parameter.type, type.shape.length) : ["B", ...(column?.labels ?? [])];
    facts.set(source.name, {
      labels,
      ...classes(column?.classes?.names),
      ...(column?.text && { text: textRule(column.text) }),
    });
  }
  const target = columns.find((each) => each.name === train?.targets[0]);
  for (const { name, value } of graph.outputs) {
    const names = target?.classes?.names;
    facts.set(name, {
      labels: labelsOf(model && resultType(model, name), value.type.shape.length),
      ...(names && isScores(value, names.length) ? { classes: names } : {}),
    });
  }
  return facts;
}

function classes(names: readonly string[] | undefined): { classes?: readonly string[] } {
  return names ? { classes: names } : {};
}

function isScores(value: Value, count: number): boolean {
  const last = value.type.shape.at(-1);
  return value.type.shape.length > 1 && last !== undefined && dim.constantOf(last) === count;
}

function resultType(model: CallableValue, output: string): Type | undefined {
  const { result } = model.declaration;
  if (result.kind !== "record-type") return output === "out" ? result : undefined;
  return result.fields.find((field) => field.name.text === output.replace(/^out\./, ""))?.type;
}

/** Labels as the type writes them; none where it has a pack or another rank. */
function labelsOf(type: Type | undefined, rank: number): readonly (string | undefined)[] {
  const axes = type?.kind === "tensor-type" || type?.kind === "named-type" ? (type.axes ?? []) : [];
  const labels = axes.length === rank && axes.every((axis) => axis.kind === "axis") ? axes.map(labelOf) : [];
  return labels.length === rank ? labels : Array.from({ length: rank }, () => undefined);
}

function labelOf(item: AxisItem): string | undefined {
  if (item.kind !== "axis") return undefined;
  if (item.label) return item.label.text;
  return item.size.kind === "name" && /^[A-Z]/.test(item.size.text) ? item.size.text : undefined;
}
