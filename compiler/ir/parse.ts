/** Reads graphs from text (.dlg), as print.ts writes them. The vocabulary of ops is an argument. */
import { graphBuilder, noOrigin } from "./builder.ts";
import { sameType, showType } from "./type.ts";
import { Scanner, TextError } from "./scanner.ts";
import { tensor } from "./tensor.ts";
import { verify } from "./verify.ts";
import { InternalError } from "./internal-error.ts";
import type { FreeDim, Graph, Origin, Role, Value } from "./graph.ts";
import type { Attribute, Attributes, Op } from "./op.ts";
import type { Tensor } from "./tensor.ts";
import type { DType, TensorType } from "./type.ts";

/** What a line of a text does not say rightly; lines and columns from 1. */
export interface TextProblem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

export type ParsedGraph = { readonly graph: Graph } | { readonly problem: TextProblem };
export type ParsedGraphs = { readonly graphs: readonly Graph[] } | { readonly problem: TextProblem };

const roles: readonly Role[] = ["input", "weight", "state", "control"];
const dtypes: readonly DType[] = ["f32", "f16", "i32", "u8", "bool"];

/** The one graph of a text, as parseGraphs reads it. */
export function parseGraph(
  text: string,
  opNamed: (name: string) => Op | undefined,
  constants: ReadonlyMap<string, Tensor> = new Map(),
): ParsedGraph {
  const parsed = parseGraphs(text, opNamed, constants, 1);
  return "problem" in parsed ? parsed : { graph: parsed.graphs[0]! };
}

/**
 * The graphs of a text, each of which begins with its `graph` line; `constants` holds, by digest, the numbers of
 * constants that are not written out.
 */
export function parseGraphs(
  text: string,
  opNamed: (name: string) => Op | undefined,
  constants: ReadonlyMap<string, Tensor> = new Map(),
  most = Infinity,
): ParsedGraphs {
  const lines = text.split(/\r?\n/);
  let number = 0;
  let reader = graphReader(opNamed, constants);
  const graphs: Graph[] = [];
  const finish = (): void => {
    graphs.push(reader.finish());
  };
  try {
    for (const line of lines) {
      number++;
      if (line.startsWith("|")) {
        reader.line(line);
        continue;
      }
      if (new Scanner(line).atEnd()) continue;
      if (reader.name() !== undefined && /^\s*graph\b/.test(line)) {
        finish();
        if (graphs.length === most) new Scanner(line).fail("a text holds one graph");
        reader = graphReader(opNamed, constants);
      }
      reader.line(line);
      if (graphs.some(({ name }) => name === reader.name()))
        new Scanner(line).fail("there is a graph of this name");
    }
    finish();
    return { graphs };
  } catch (error) {
    if (error instanceof TextError)
      return { problem: { message: error.message, line: number, column: error.column } };
    if (error instanceof InternalError)
      return { problem: { message: error.message, line: number, column: 1 } };
    throw error;
  }
}

interface Reader {
  name(): string | undefined;
  line(text: string): void;
  finish(): Graph;
}

function graphReader(
  opNamed: (name: string) => Op | undefined,
  constants: ReadonlyMap<string, Tensor>,
): Reader {
  const builder = graphBuilder();
  const values = new Map<string, Value>();
  const dims: FreeDim[] = [];
  const outputs: { name: string; value: Value }[] = [];
  const writes: { input: Value; value: Value }[] = [];
  let graphName: string | undefined;
  /** the body that was read before the node that it belongs to */
  let body: Reader | undefined;

  const define = (scanner: Scanner, name: string, value: Value): void => {
    if (values.has(name)) scanner.fail(`${name} is defined twice`);
    values.set(name, value);
  };
  const use = (scanner: Scanner): Value => {
    const name = valueName(scanner);
    return values.get(name) ?? scanner.fail(`${name} is not defined before this line`);
  };

  function node(scanner: Scanner): void {
    const results: { name: string; type: TensorType }[] = [];
    do {
      const name = valueName(scanner);
      scanner.expect(":");
      results.push({ name, type: type(scanner) });
    } while (scanner.take(","));
    scanner.expect("=");
    const opName = scanner.word("the name of an op");
    const op = opNamed(opName) ?? scanner.fail(`there is no op ${opName}`);
    const operands: Value[] = [];
    scanner.expect("(");
    if (!scanner.take(")")) {
      do operands.push(use(scanner));
      while (scanner.take(","));
      scanner.expect(")");
    }
    const variadic = op.operands.at(-1)?.startsWith("...");
    const fixed = op.operands.length - (variadic ? 1 : 0);
    if (variadic ? operands.length < fixed : operands.length !== fixed)
      scanner.fail(
        `${op.name} takes ${variadic ? "at least " : ""}${fixed} operands, not ${operands.length}`,
      );
    const attributes = scanner.looksAt("{") ? record(scanner) : {};
    builder.origin = origin(scanner.comment());
    const found = builder.node(op, operands, attributes);
    if (found.length !== results.length)
      scanner.fail(`${op.name} has ${found.length} results, not ${results.length}`);
    results.forEach(({ name, type: written }, i) => {
      const value = found[i]!;
      if (!sameType(value.type, written))
        scanner.fail(`${name} is ${showType(value.type)}, not ${showType(written)}`);
      define(scanner, name, value);
    });
  }

  function record(scanner: Scanner): Attributes {
    const entries: [string, Attribute][] = [];
    scanner.expect("{");
    if (scanner.take("}")) return {};
    do {
      const name = scanner.word("the name of an attribute");
      scanner.expect(":");
      entries.push([name, attribute(scanner)]);
    } while (scanner.take(","));
    scanner.expect("}");
    return Object.fromEntries(entries);
  }

  function attribute(scanner: Scanner): Attribute {
    if (scanner.looksAt("{")) return record(scanner);
    if (scanner.looksAt('"')) return scanner.string();
    if (scanner.take("<")) {
      const size = scanner.size();
      scanner.expect(">");
      return size;
    }
    if (scanner.take("[")) return list(scanner, "]", () => attribute(scanner));
    const number = scanner.number();
    if (number !== undefined) return number;
    const name = scanner.word("an attribute");
    if (name === "true" || name === "false") return name === "true";
    if (name === "graph") {
      const graph = body?.finish() ?? scanner.fail("no body stands before this line");
      body = undefined;
      return graph;
    }
    if (name === "const") {
      const { dtype, shape } = constantType(scanner, scanner.word("a dtype"));
      const digest = scanner.digest();
      const found = constants.get(digest);
      if (!found) return scanner.fail(`the constant #${digest} is not among those beside the text`);
      if (found.dtype !== dtype || found.shape.join() !== shape.join())
        return scanner.fail(`the constant #${digest} is ${found.dtype}[${found.shape.join(", ")}]`);
      return found;
    }
    const { dtype, shape } = constantType(scanner, name);
    scanner.expect("(");
    const data = list(scanner, ")", () => scanner.number() ?? scanner.fail("expected a number"));
    const count = shape.reduce((a, b) => a * b, 1);
    if (data.length !== count) scanner.fail(`${data.length} numbers for ${count} elements`);
    return tensor(dtype, shape, data);
  }

  return {
    name: () => graphName,
    line(text: string): void {
      if (text.startsWith("|")) {
        body ??= graphReader(opNamed, constants);
        body.line(text.slice(text.startsWith("| ") ? 2 : 1));
        return;
      }
      const scanner = new Scanner(text);
      if (scanner.atEnd()) return;
      if (scanner.looksAt("%")) {
        node(scanner);
        return;
      }
      const keyword = scanner.word("graph, dim, input, weight, state, control, output, write or a %value");
      const role = roles.find((each) => each === keyword);
      if (keyword === "graph") {
        graphName = scanner.name();
      } else if (keyword === "dim") {
        const name = scanner.name();
        dims.push({ name, max: scanner.takeWord("max") ? scanner.number() : undefined });
      } else if (role) {
        const name = valueName(scanner);
        scanner.expect(":");
        define(scanner, name, builder.input(name.slice(1), role, type(scanner)));
      } else if (keyword === "output") {
        const name = scanner.name();
        scanner.expect("=");
        outputs.push({ name, value: use(scanner) });
      } else if (keyword === "write") {
        const input = use(scanner);
        scanner.expect("=");
        writes.push({ input, value: use(scanner) });
      } else scanner.fail(`${keyword} begins no line`);
      scanner.comment();
    },
    finish(): Graph {
      const graph = builder.finish({ name: graphName ?? "graph", dims, outputs, writes });
      verify(graph, "parse");
      return graph;
    },
  };
}

function list<T>(scanner: Scanner, end: string, item: () => T): T[] {
  const items: T[] = [];
  if (scanner.take(end)) return items;
  do items.push(item());
  while (scanner.take(","));
  scanner.expect(end);
  return items;
}

/** `%3` or `@x`, with the mark. */
function valueName(scanner: Scanner): string {
  const mark = scanner.take("@") ? "@" : "%";
  if (mark === "%") scanner.expect("%");
  return mark + scanner.name();
}

function dtypeNamed(scanner: Scanner, name: string): DType {
  return dtypes.find((each) => each === name) ?? scanner.fail(`there is no dtype ${name}`);
}

function type(scanner: Scanner): TensorType {
  const dtype = dtypeNamed(scanner, scanner.word("a dtype"));
  scanner.expect("[");
  return { dtype, shape: list(scanner, "]", () => scanner.size()) };
}

function constantType(scanner: Scanner, name: string): { dtype: DType; shape: number[] } {
  const dtype = dtypeNamed(scanner, name);
  scanner.expect("[");
  return { dtype, shape: list(scanner, "]", () => scanner.number() ?? scanner.fail("expected a number")) };
}

function origin(comment: string): Origin {
  if (comment === "") return noOrigin;
  const found = /^(?:(.*?) )?@ (.*):(\d+):(\d+)$/.exec(comment);
  if (!found) return { path: comment, at: undefined };
  const [, path, file, line, column] = found;
  return { path: path ?? "", at: { file: file!, line: Number(line), column: Number(column) } };
}
