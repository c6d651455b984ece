/** The rules that every graph keeps; run after every pass. */
import { symbolsIn } from "./attribute.ts";
import { symbolsOf } from "./dim.ts";
import { isNode } from "./graph.ts";
import { loopOf } from "./loop.ts";
import { InternalError } from "./internal-error.ts";
import { printGraph } from "./print.ts";
import { sameType, showType } from "./type.ts";
import type { Graph, Node, Value } from "./graph.ts";
import type { TensorType } from "./type.ts";

/**
 * What a graph breaks, in words; empty for a good graph. Operands come before their uses, results belong to their nodes
 * and have the types that the ops infer, sizes use the graph's dims only, names are unique, and only weights and states are
 * written, once each, with their own types.
 */
export function problemsOf(graph: Graph): readonly string[] {
  const problems: string[] = [];
  const dims = new Set(graph.dims.map(({ name }) => name));
  if (dims.size !== graph.dims.length) problems.push("two dims have one name");
  const defined = new Set<Value>();

  const checkSizes = (type: TensorType, what: string): void => {
    for (const size of type.shape)
      for (const name of symbolsOf(size))
        if (!dims.has(name))
          problems.push(`${what} has type ${showType(type)}, but ${name} is no dim of the graph`);
  };
  const checkNames = (what: string, names: readonly string[]): void => {
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined) problems.push(`two ${what} have the name ${twice}`);
  };

  for (const input of graph.inputs) {
    if (isNode(input.source)) {
      problems.push("the result of a node stands among the inputs");
      continue;
    }
    checkSizes(input.type, `input ${input.source.name}`);
    if (!sameType(input.type, input.source.type)) problems.push(`input ${input.source.name} has two types`);
    defined.add(input);
  }
  checkNames(
    "inputs",
    graph.inputs.map(({ source }) => (isNode(source) ? "" : source.name)),
  );
  checkNames(
    "outputs",
    graph.outputs.map(({ name }) => name),
  );

  graph.nodes.forEach((node, at) => {
    const what = `node ${at} (${node.op.name})`;
    node.operands.forEach((operand, i) => {
      if (!defined.has(operand)) problems.push(`operand ${i} of ${what} is not defined before it`);
    });
    checkResults(node, what, problems);
    const loop = loopOf(node);
    if (loop)
      for (const problem of problemsOf(loop.body)) problems.push(`in the body of ${what}: ${problem}`);
    for (const name of symbolsIn(node.attributes))
      if (!dims.has(name))
        problems.push(`an attribute of ${what} uses ${name}, which is no dim of the graph`);
    for (const result of node.results) {
      checkSizes(result.type, what);
      defined.add(result);
    }
  });

  for (const { name, value } of graph.outputs)
    if (!defined.has(value)) problems.push(`output ${name} is not a value of the graph`);
  const written = new Set<Value>();
  for (const { input, value } of graph.writes) {
    if (isNode(input.source) || !graph.inputs.includes(input)) {
      problems.push("something that is not an input is written");
      continue;
    }
    const { name, role } = input.source;
    if (role !== "weight" && role !== "state") problems.push(`${role} ${name} is written`);
    if (written.has(input)) problems.push(`${name} is written twice`);
    if (!defined.has(value)) problems.push(`what is written to ${name} is not a value of the graph`);
    if (!sameType(input.type, value.type))
      problems.push(`${name} is ${showType(input.type)}, what is written is ${showType(value.type)}`);
    written.add(input);
  }
  return problems;
}

function checkResults(node: Node, what: string, problems: string[]): void {
  const inferred = node.op.infer(
    node.operands.map((operand) => operand.type),
    node.attributes,
  );
  if ("mismatch" in inferred) {
    problems.push(`${what}: ${inferred.mismatch}`);
    return;
  }
  if (inferred.length !== node.results.length) problems.push(`${what} has ${node.results.length} results`);
  node.results.forEach((result, i) => {
    const type = inferred[i];
    if (result.source !== node || result.result !== i)
      problems.push(`result ${i} of ${what} belongs elsewhere`);
    if (type && !sameType(type, result.type))
      problems.push(`result ${i} of ${what} is ${showType(result.type)}, not ${showType(type)}`);
  });
}

/** Throws an internal error that names the pass and holds the graph's text where a rule is broken. */
export function verify(graph: Graph, pass: string): void {
  const problems = problemsOf(graph);
  if (problems.length > 0) throw new InternalError(pass, problems.join("; "), printGraph(graph).text);
}
