// The product's part of a row: compiled once, with and without relaxed SIMD, and the numbers that it is run on.
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
export const built = (path) => import(new URL(`../../.build/${path}`, import.meta.url).href);
const { openProgram, mustBeSound, chooseModel, chooseTrain, trainOf, graphsOf } =
  await built("src/program.js");
const { compiled } = await built("src/compile-program.js");
const { inputsOf } = await built("src/bench.js");
const { contractionFlops } = await built("compiler/ops/contraction-flops.js");
const { evaluate } = await built("compiler/ir/dim.js");

/** Entry graphs of a program that lies beside the rows or at an absolute path, of its one train block where it has no model of its own. */
export function graphsOfRow({ program: file, model: name }, entries) {
  const program = openProgram(resolve(here, "rows", file));
  mustBeSound(program);
  if (program.checked.models.length === 0) return graphsOf(program, undefined, chooseTrain(program), entries);
  const model = chooseModel(program, name);
  return graphsOf(program, model, trainOf(program, model), entries);
}

/** What a side is asked to open, for both kinds of code, and facts for the table. */
export async function prepared(row) {
  const { entry: name = "infer", sizes = {}, max, control, resident } = row;
  const start = performance.now();
  const result = await compiled(graphsOfRow(row, ["init", name]));
  const compile = performance.now() - start;
  const { graph, defaults } = result.entries.find((each) => each.graph.name === name);
  const all = new Map(graph.dims.map((d) => [d.name, sizes[d.name] ?? d.max ?? defaults.get(d.name) ?? 1]));
  const request = {
    entry: name,
    inputs: inputsOf(graph, all, 1),
    sizes: Object.fromEntries(all),
    max: { ...sizes, ...max },
    ...(control && { control }),
    ...(resident && { resident }),
  };
  const { code } = result.relaxed;
  return {
    relaxed: { ...request, artifact: result.relaxed.artifact },
    strict: { ...request, artifact: result.strict.artifact },
    flops: contractionFlops(graph.nodes, (size) => evaluate(size, all)),
    facts: { compile, bytes: result.relaxed.artifact.length, largestFunction: code.largestFunctionBytes },
  };
}
