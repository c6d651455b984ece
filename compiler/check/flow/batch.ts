/** Columns of a batch as tensors of a graph, and the record of its inputs that a model takes as `home: Housing`. */
import { report } from "../../../grammar/diagnostic.ts";
import type { Span } from "../../../grammar/source.ts";
import type { GraphBuilder } from "../../ir/builder.ts";
import * as dim from "../../ir/dim.ts";
import type { Value } from "../../ir/graph.ts";
import * as build from "../../ops/build.ts";
import type { Axis } from "../type.ts";
import { checkType, graphType } from "../type.ts";
import type { DataValue, RecordValue, TensorValue } from "../values.ts";
import { unknownName } from "../diagnostics/dlm0101-unknown-name.ts";
import { targetLeak } from "./diagnostics/dlm0601-target-leak.ts";

/** The free dim of the rows of a batch. */
export const batchDim = "B";

export function batchAxis(span: Span): Axis {
  return {
    label: batchDim,
    size: { dim: dim.symbol(batchDim), origin: { kind: "written", span, name: batchDim } },
  };
}

/** Every column with the batch before its axes, as inputs of the graph that bear the column's name. */
export function columnTensors(data: DataValue, builder: GraphBuilder | undefined): Map<string, TensorValue> {
  const tensors = new Map<string, TensorValue>();
  for (const { name, type, span } of data.columns) {
    const batched = checkType(type.element, [batchAxis(span), ...type.axes], type.bound);
    const value = builder?.input(name, "input", graphType(batched));
    tensors.set(name, { kind: "tensor", type: batched, value, span });
  }
  return tensors;
}

/**
 * The inputs of a row by name, and `numbers`: the number columns side by side, [B, F]. Targets are not in it, and
 * asking for one is DLM0601.
 */
export function rowRecord(
  data: DataValue,
  tensors: ReadonlyMap<string, TensorValue>,
  builder: GraphBuilder | undefined,
  span: Span,
): RecordValue {
  const inputs = data.columns.filter((c) => c.role === "input");
  const fields = new Map(
    inputs.flatMap((c) => (tensors.has(c.name) ? [[c.name, tensors.get(c.name)!]] : [])),
  );
  const numbers = inputs.filter((c) => c.kind === "number");
  if (numbers.length > 0 && !fields.has("numbers")) {
    const values = numbers.flatMap((c) => tensors.get(c.name)?.value ?? []);
    const size = {
      dim: dim.constant(numbers.length),
      origin: {
        kind: "data",
        span: data.declaration.name.span,
        name: `${data.declaration.name.text}.numbers`,
      } as const,
    };
    const type = checkType("f32", [batchAxis(span), { label: undefined, size }]);
    const value = builder && values.length === numbers.length ? stack(builder, values) : undefined;
    fields.set("numbers", { kind: "tensor", type, value, span });
  }
  return {
    kind: "record",
    fields,
    span,
    ...(data.unsound ? { unsound: true as const } : {}),
    missing: (name, at) => {
      const target = data.columns.find((c) => c.name === name && c.role === "target");
      if (target) return report(targetLeak, { column: name, span: at, declared: target.span });
      if (name !== "numbers") return undefined;
      const notes = ["`numbers` are all inputs that are `number`, side by side, and there is none"];
      return report(unknownName, { span: at, name, what: "part", where: "", near: [], notes });
    },
  };
}

function stack(builder: GraphBuilder, columns: readonly Value[]): Value {
  return build.concat(
    builder,
    columns.map((value) => build.insertAxis(builder, value, 1)),
    1,
  );
}
