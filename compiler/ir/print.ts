/**
 * Graphs as text (.dlg), which parse.ts reads back:
 *
 *     graph infer
 *     dim B max 64
 *     input @x: f32[B, 4]
 *     weight @parameters: f32[40]
 *     %0: f32[8] = slice(@parameters) {axis: 0, start: <0>, size: <8>} // dense0 @ model.dlm:3:5
 *     output out = %0
 *     write @parameters = %0
 *
 * One node a line, results numbered in order; a size is written in angle brackets, a constant over 16 elements as
 * `const f32[64, 784] #digest`, its numbers in a map beside the text, unless all are to be written out. The body of a loop
 * stands before its node, every line of it after a bar; the node's attribute says `graph`.
 */
import { isDim, isGraph, isList, isTensor } from "./attribute.ts";
import { isNode } from "./graph.ts";
import { showType } from "./type.ts";
import type { Graph, Node, Origin, Value } from "./graph.ts";
import type { Attribute, Attributes } from "./op.ts";
import type { Tensor } from "./tensor.ts";

export interface GraphText {
  readonly text: string;
  /** by digest, the constants that are not written out */
  readonly constants: ReadonlyMap<string, Tensor>;
}

interface Constants extends Map<string, Tensor> {
  /** constants of more elements are kept here instead of being written out */
  readonly longest: number;
}

export interface PrintOptions {
  /** write every constant out, however large */
  readonly whole?: boolean;
}

export function printGraph(graph: Graph, { whole = false }: PrintOptions = {}): GraphText {
  const constants: Constants = Object.assign(new Map<string, Tensor>(), { longest: whole ? Infinity : 16 });
  return { text: graphText(graph, constants), constants };
}

function graphText(graph: Graph, constants: Constants): string {
  const names = new Map<Value, string>();
  const nameOf = (value: Value): string => {
    if (!isNode(value.source)) return `@${word(value.source.name)}`;
    return names.get(value) ?? "%undefined";
  };
  const lines = [`graph ${word(graph.name)}`];
  for (const { name, max } of graph.dims)
    lines.push(`dim ${word(name)}${max === undefined ? "" : ` max ${max}`}`);
  for (const input of graph.inputs) {
    if (isNode(input.source)) continue;
    lines.push(`${input.source.role} ${nameOf(input)}: ${showType(input.type)}`);
  }
  for (const node of graph.nodes) {
    for (const result of node.results) names.set(result, `%${names.size}`);
    for (const attribute of Object.values(node.attributes))
      if (isGraph(attribute))
        lines.push(
          ...graphText(attribute, constants)
            .trimEnd()
            .split("\n")
            .map((line) => `| ${line}`),
        );
    lines.push(printNode(node, nameOf, constants));
  }
  for (const { name, value } of graph.outputs) lines.push(`output ${word(name)} = ${nameOf(value)}`);
  for (const { input, value } of graph.writes) lines.push(`write ${nameOf(input)} = ${nameOf(value)}`);
  return `${lines.join("\n")}\n`;
}

function printNode(node: Node, nameOf: (value: Value) => string, constants: Constants): string {
  const results = node.results.map((result) => `${nameOf(result)}: ${showType(result.type)}`).join(", ");
  const operands = node.operands.map(nameOf).join(", ");
  const attributes =
    Object.keys(node.attributes).length === 0 ? "" : ` ${printRecord(node.attributes, constants)}`;
  return `${results} = ${node.op.name}(${operands})${attributes}${printOrigin(node.origin)}`;
}

function printOrigin({ path, at }: Origin): string {
  if (path === "" && !at) return "";
  const place = at ? `@ ${at.file}:${at.line}:${at.column}` : "";
  return ` // ${[path, place].filter((part) => part !== "").join(" ")}`;
}

/** A name as it is, or in quotes where it is not plain. */
function word(name: string): string {
  return /^[\w.$-]+$/.test(name) ? name : JSON.stringify(name);
}

function printNumber(value: number): string {
  return Object.is(value, -0) ? "-0" : `${value}`;
}

function printRecord(record: Attributes, constants: Constants): string {
  const entries = Object.entries(record).map(
    ([name, value]) => `${name}: ${printAttribute(value, constants)}`,
  );
  return `{${entries.join(", ")}}`;
}

function printAttribute(value: Attribute, constants: Constants): string {
  if (typeof value === "number") return printNumber(value);
  if (typeof value === "boolean") return `${value}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (isDim(value)) return `<${value.key}>`;
  if (isGraph(value)) return "graph";
  if (isTensor(value)) {
    const type = `${value.dtype}[${value.shape.join(", ")}]`;
    if (value.data.length <= constants.longest)
      return `${type}(${[...value.data].map(printNumber).join(", ")})`;
    const digest = digestOf(value);
    constants.set(digest, value);
    return `const ${type} #${digest}`;
  }
  if (isList(value)) return `[${value.map((each) => printAttribute(each, constants)).join(", ")}]`;
  return printRecord(value as Attributes, constants);
}

/** 16 hexadecimal digits of the dtype, shape and numbers: two runs of FNV-1a over 32-bit words, with different primes. */
export function digestOf({ dtype, shape, data }: Tensor): string {
  const numbers = new Uint32Array(data.buffer, data.byteOffset, data.length * 2);
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  const mix = (part: number): void => {
    a = Math.imul(a ^ part, 0x01000193);
    b = Math.imul(b ^ part, 0x85ebca6b);
    b ^= b >>> 13;
  };
  for (const letter of `${dtype}[${shape.join(",")}]`) mix(letter.codePointAt(0)!);
  for (const part of numbers) mix(part);
  return [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
