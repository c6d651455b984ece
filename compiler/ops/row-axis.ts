/**
 * How ops carry one axis through, the rows: a value either does not have them, or has them as one whole axis along which
 * element i needs element i of the operands alone. Whatever a rule does not know is "mixed".
 */
import { dimAttribute, dimsAttribute, numberAttribute, numbersAttribute } from "../ir/attribute.ts";
import * as dim from "../ir/dim.ts";
import type { Dim } from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import type { Node, Value } from "../ir/graph.ts";
import { loopOf } from "../ir/loop.ts";
import type { Attributes } from "../ir/op.ts";
import { mapsOf } from "./index-maps.ts";
import { windowsOf } from "./window-max.ts";

/** The axis of the rows; "none": the same for all rows; "mixed": no statement. */
export type RowAxis = number | "none" | "mixed";

/** Whether a size is made of this dim. */
export function mentions(size: Dim, rows: string): boolean {
  return dim.symbolsOf(size).has(rows);
}

/** The axis of a result of a node, from those of its operands; `rows` is the free dim that counts them. */
export function rowAxis(node: Node, operands: readonly RowAxis[], result: Value, rows: string): RowAxis {
  if (operands.includes("mixed")) return "mixed";
  const { op, attributes } = node;
  const [first] = operands;
  const shape = result.type.shape;
  const has = shape.some((size) => mentions(size, rows));
  switch (op.name) {
    case "constant":
      return has ? "mixed" : "none";
    case "size":
      return mentions(dimAttribute(attributes, "dim"), rows) ? "mixed" : "none";
    case "iota": {
      const axis = numberAttribute(attributes, "axis");
      const at = shape.findIndex((size) => mentions(size, rows));
      return at < 0 ? "none" : at === axis ? "mixed" : at;
    }
    case "expand": {
      const axes = numbersAttribute(attributes, "axes");
      if (typeof first === "number") return axes[first]!;
      // the same for all rows, repeated along them
      const at = shape.findIndex((size) => mentions(size, rows));
      return at < 0 ? "none" : at;
    }
    case "reorder":
      return typeof first === "number" ? numbersAttribute(attributes, "permutation").indexOf(first) : "none";
    case "split":
      return moved(first!, numberAttribute(attributes, "axis"), 1, dimsAttribute(attributes, "sizes").length);
    case "merge":
      return moved(first!, numberAttribute(attributes, "axis"), numberAttribute(attributes, "count"), 1);
    case "slice":
    case "pad":
      return first === numberAttribute(attributes, "axis") ? "mixed" : (first ?? "none");
    case "concat":
      return agree(operands, numberAttribute(attributes, "axis"));
    case "reduce": {
      const axes = numbersAttribute(attributes, "axes");
      if (typeof first !== "number") return first ?? "none";
      return axes.includes(first) ? "mixed" : first - axes.filter((axis) => axis < first).length;
    }
    case "arg_reduce": {
      const axis = numberAttribute(attributes, "axis");
      if (typeof first !== "number") return first ?? "none";
      return first === axis ? "mixed" : first - (axis < first ? 1 : 0);
    }
    case "window_max":
      return windowsOf(attributes).some(({ axis }) => axis === first) ? "mixed" : (first ?? "none");
    case "update_slice":
      return operands[2] === "none"
        ? agree(operands.slice(0, 2), numberAttribute(attributes, "axis"))
        : "mixed";
    case "gather":
      // rows of a table that is the same for all: the ids decide
      return first === "none" ? (operands[1] ?? "none") : "mixed";
    case "index":
      return indexRows(node, operands, rows);
    case "random_bits":
      if (countsRows(node, rows)) return 0;
      return operands.every((axis) => axis === "none") && !has ? "none" : "mixed";
    case "scatter_add":
      return operands.every((axis) => axis === "none") && !has ? "none" : "mixed";
    case "loop":
      return loopRows(node, operands, result, rows);
    default:
      return pointwise.has(op.name) ? agree(operands, undefined) : "mixed";
  }
}

/** The control of entries that run in chunks: how many rows were in those before. */
export const firstRow = "first_row";

/** A draw that differs from row to row as if all rows were drawn at once, whatever the chunk. */
function countsRows({ operands, attributes }: Node, rows: string): boolean {
  const { source } = operands[2]!;
  return !isNode(source) && source.name === firstRow && drawsRows(attributes, rows);
}

/** Its first axis, and no other, is that of the rows. */
export function drawsRows(attributes: Attributes, rows: string): boolean {
  const [first, ...others] = dimsAttribute(attributes, "shape");
  return (
    first !== undefined && dim.equal(first, dim.symbol(rows)) && !others.some((size) => mentions(size, rows))
  );
}

/** The steps carry the rows through as their nodes do; a carry has them on one axis, before and after. */
function loopRows(node: Node, operands: readonly RowAxis[], result: Value, rows: string): RowAxis {
  const loop = loopOf(node)!;
  const { body, carries, sequences } = loop;
  if (mentions(loop.length, rows)) return "mixed";
  const axes = new Map<Value, RowAxis>();
  body.inputs.forEach((input, i) => {
    const axis = operands[i]!;
    const isSequence = i >= carries && i < carries + sequences;
    axes.set(input, isSequence && typeof axis === "number" ? axis - 1 : axis);
  });
  for (const inner of body.nodes) {
    const given = inner.operands.map((operand) => axes.get(operand)!);
    for (const each of inner.results) axes.set(each, rowAxis(inner, given, each, rows));
  }
  const outputs = body.outputs.map(({ value }) => axes.get(value)!);
  for (let i = 0; i < carries; i++) if (outputs[i] !== operands[i]) return "mixed";
  const axis = outputs[result.result]!;
  return result.result >= carries && typeof axis === "number" ? axis + 1 : axis;
}

const pointwise: ReadonlySet<string> = new Set(
  `add sub mul div neg abs max min floor sqrt rsqrt reciprocal exp expm1 log log1p tanh sigmoid softplus erf sin cos pow
   eq ne lt le is_finite select and or not cast detach barrier`.split(/\s+/),
);

/** Operands that have rows have them on the same axis; it is not the axis `apart`. */
function agree(operands: readonly RowAxis[], apart: number | undefined): RowAxis {
  const found = new Set(operands);
  if (found.size === 1) return operands[0] === apart && apart !== undefined ? "mixed" : operands[0]!;
  return "mixed";
}

/** `taken` axes from `axis` on become `made` axes: the rows may not be among them. */
function moved(rows: RowAxis, axis: number, taken: number, made: number): RowAxis {
  if (typeof rows !== "number" || rows < axis) return rows;
  return rows < axis + taken ? "mixed" : rows + made - taken;
}

/** Each operand with rows reads row i for the same result axis i, and no other operand uses that axis. */
function indexRows(node: Node, operands: readonly RowAxis[], rows: string): RowAxis {
  const { axes, result, maps } = mapsOf(node.attributes);
  let loop: number | undefined;
  for (const [i, at] of operands.entries()) {
    if (typeof at !== "number") continue;
    const map = maps[i]![at]!;
    const used = map.coefficients.flatMap((c, l) => (c === 0 ? [] : [l]));
    const own = used[0];
    if (used.length !== 1 || own === undefined || map.coefficients[own] !== 1) return "mixed";
    if (!dim.equal(map.constant, dim.zero) || own >= result || (loop !== undefined && loop !== own))
      return "mixed";
    loop = own;
  }
  if (loop === undefined) return axes.some((size) => mentions(size, rows)) ? "mixed" : "none";
  const only = maps.every((operand, i) =>
    operand.every((map, axis) => operands[i] === axis || map.coefficients[loop] === 0),
  );
  return only && axes.every((size, l) => l === loop || !mentions(size, rows)) ? loop : "mixed";
}
