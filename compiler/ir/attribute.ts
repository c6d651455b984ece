/** Attributes of nodes: telling their kinds apart, and reading them by name. A wrong kind is a compiler's bug and throws. */
import { symbolsOf } from "./dim.ts";
import { InternalError } from "./internal-error.ts";
import type { Dim } from "./dim.ts";
import type { Graph } from "./graph.ts";
import type { Attribute, Attributes } from "./op.ts";
import type { Tensor } from "./tensor.ts";

export function isDim(value: Attribute): value is Dim {
  return typeof value === "object" && "terms" in value && "key" in value;
}

export function isTensor(value: Attribute): value is Tensor {
  return typeof value === "object" && "data" in value && value["data"] instanceof Float64Array;
}

export function isList(value: Attribute): value is readonly Attribute[] {
  return Array.isArray(value);
}

export function isGraph(value: Attribute): value is Graph {
  return typeof value === "object" && "nodes" in value && "outputs" in value;
}

/** A record of attributes: what is neither a plain value, a list, a size, a tensor nor a graph. */
export function isRecord(value: Attribute): value is Attributes {
  return typeof value === "object" && !isList(value) && !isDim(value) && !isTensor(value) && !isGraph(value);
}

function wrong(name: string, expected: string): never {
  throw new InternalError("attributes", `attribute ${name} must be ${expected}`, undefined);
}

export function numberAttribute(attributes: Attributes, name: string): number {
  const value = attributes[name];
  return typeof value === "number" ? value : wrong(name, "a number");
}

export function stringAttribute(attributes: Attributes, name: string): string {
  const value = attributes[name];
  return typeof value === "string" ? value : wrong(name, "a string");
}

export function dimAttribute(attributes: Attributes, name: string): Dim {
  const value = attributes[name];
  return value !== undefined && isDim(value) ? value : wrong(name, "a size");
}

export function tensorAttribute(attributes: Attributes, name: string): Tensor {
  const value = attributes[name];
  return value !== undefined && isTensor(value) ? value : wrong(name, "a tensor");
}

export function listAttribute(attributes: Attributes, name: string): readonly Attribute[] {
  const value = attributes[name];
  return value !== undefined && isList(value) ? value : wrong(name, "a list");
}

export function recordAttribute(value: Attribute, name: string): Attributes {
  return isRecord(value) ? value : wrong(name, "a record");
}

export function numbersOf(value: Attribute | undefined, name: string): readonly number[] {
  if (value === undefined || !isList(value)) return wrong(name, "a list of numbers");
  return value.map((each) => (typeof each === "number" ? each : wrong(name, "a list of numbers")));
}

export function numbersAttribute(attributes: Attributes, name: string): readonly number[] {
  return numbersOf(attributes[name], name);
}

export function dimsAttribute(attributes: Attributes, name: string): readonly Dim[] {
  return listAttribute(attributes, name).map((each) => (isDim(each) ? each : wrong(name, "a list of sizes")));
}

const graphNumbers = new WeakMap<Graph, number>();
let graphCount = 0;

/** Equal text exactly where two attributes are equal; graphs by identity, tensors by their bits, so -0 and 0 differ and NaN equals itself. */
export function attributeKey(value: Attribute): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : `${value}`;
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "boolean") return `${value}`;
  if (isDim(value)) return `<${value.key}>`;
  if (isTensor(value)) {
    const data = [...value.data].map((x) => (Object.is(x, -0) ? "-0" : `${x}`));
    return `${value.dtype}[${value.shape.join(",")}](${data.join(",")})`;
  }
  if (isGraph(value)) {
    const number = graphNumbers.get(value) ?? graphCount++;
    graphNumbers.set(value, number);
    return `graph${number}`;
  }
  if (isList(value)) return `[${value.map(attributeKey).join(",")}]`;
  if (!isRecord(value)) return wrong("value", "an attribute");
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${attributeKey(each)}`).join(",")}}`;
}

/** Names of all dims in an attribute. */
export function symbolsIn(value: Attribute, into = new Set<string>()): Set<string> {
  if (typeof value !== "object" || isTensor(value)) return into;
  if (isDim(value)) return symbolsOf(value, into);
  if (isGraph(value)) {
    for (const { name } of value.dims) into.add(name);
    return into;
  }
  for (const each of isList(value) ? value : Object.values(value)) symbolsIn(each as Attribute, into);
  return into;
}
