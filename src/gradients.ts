/** Gradients of a train block's loss for one batch: by the compiled entry, and by the reference for checking it. */
import type { PartPlan } from "../compiler/check/flow/plans.ts";
import { gradName } from "../compiler/entries/train.ts";
import { constantOf, evaluate as evaluateDim } from "../compiler/ir/dim.ts";
import type { Graph, GraphInput, Value } from "../compiler/ir/graph.ts";
import type { ModelGraphs, WeightEntry } from "../compiler/ir/model.ts";
import { rewrite } from "../compiler/ir/rewrite.ts";
import { tensor, type Tensor } from "../compiler/ir/tensor.ts";
import { contractionFlops } from "../compiler/ops/contraction-flops.ts";
import { deadCode } from "../compiler/passes/dead-code.ts";
import { evaluate } from "../compiler/reference/evaluate.ts";
import { checkGradient, type WeightCheck } from "./gradient-check.ts";

export type GradientBatch = Readonly<Record<string, ArrayLike<number>>>;

export interface GradientProblem {
  readonly graphs: ModelGraphs;
  /** whose loss and weights it is about */
  readonly part: PartPlan;
  readonly batch: GradientBatch;
  readonly rows: number;
  /** of dropout */
  readonly seed: number;
  /** weights and states by path */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

function gradEntry(graphs: ModelGraphs, part: PartPlan): Graph {
  const name = gradName(part);
  const graph = graphs.entries.find((entry) => entry.graph.name === name)?.graph;
  if (!graph) throw new Error(`${graphs.name} has no entry ${name}`);
  return graph;
}

/** The weights that the part trains. */
export function weightsOf({
  graphs,
  part,
}: Pick<GradientProblem, "graphs" | "part">): readonly WeightEntry[] {
  const { name } = part;
  return name === undefined
    ? graphs.weights
    : graphs.weights.filter(({ path }) => path.startsWith(`${name}.`));
}

function regionOf({ graphs, tensors }: GradientProblem): Float64Array {
  const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  const size = graphs.weights.reduce((end, w) => Math.max(end, w.offset + sizeOf(w.shape)), 0);
  const region = new Float64Array(size);
  for (const { path, offset } of graphs.weights) region.set(tensors.get(path) ?? [], offset);
  return region;
}

function inputsOf(problem: GradientProblem, graph: Graph, parameters: Float64Array): Map<string, Tensor> {
  const { batch, rows, seed, tensors } = problem;
  return new Map(
    graph.inputs.map((value) => {
      const { name, role, type } = value.source as GraphInput;
      const shape = type.shape.map((size) => constantOf(size) ?? rows);
      const numbers = {
        input: () => batch[name] ?? [],
        weight: () => parameters,
        state: () => tensors.get(name) ?? [],
        // the first step: iteration 0
        control: () => [name === "seed" ? seed : name === "iteration" ? 0 : 1],
      }[role]();
      return [name, tensor(type.dtype, shape, numbers)];
    }),
  );
}

function sizesOf(graph: Graph, rows: number): Map<string, number> {
  return new Map(graph.dims.map(({ name }) => [name, rows]));
}

export interface ReferenceGradient {
  readonly loss: number;
  /** as the parameter region lies; of loss and penalties */
  readonly gradient: Float64Array;
}

/** In f64. */
export function referenceGradient(problem: GradientProblem): ReferenceGradient {
  const graph = gradEntry(problem.graphs, problem.part);
  const inputs = inputsOf(problem, graph, regionOf(problem));
  const { outputs } = evaluate(graph, inputs, sizesOf(graph, problem.rows));
  return { loss: outputs.get("loss")!.data[0]!, gradient: outputs.get("gradient")!.data };
}

/**
 * The loss with penalties as a function of the parameters. What the program detaches stays as it is at the given
 * weights: its gradient is that of the function in which these values are constants.
 */
function lossFunction(problem: GradientProblem): (parameters: Float64Array) => number {
  const { graphs, part, rows } = problem;
  const grad = gradEntry(graphs, part);
  const loss = lossAround(grad, inputsOf(problem, grad, regionOf(problem)), sizesOf(grad, rows));
  const penalty = penaltyOf(problem);
  return (parameters) =>
    loss(new Map([["parameters", tensor("f32", [parameters.length], parameters)]])) + penalty(parameters);
}

/** The output `loss` of a graph as a function of some of its inputs; what is detached stays as it is at `inputs`. */
export function lossAround(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  sizes: ReadonlyMap<string, number>,
): (changed: ReadonlyMap<string, Tensor>) => number {
  const whole = deadCode.run({ ...graph, outputs: graph.outputs.filter(({ name }) => name === "loss") });
  const detached = whole.nodes.flatMap((node) => (node.op.name === "detach" ? node.results : []));
  const { values } = evaluate(whole, inputs, sizes, { keep: detached.length > 0 });
  const frozen = freeze(whole, detached);
  const fixed = detached.map((value, i) => [frozenName(i), values!.get(value)!] as const);
  return (changed) =>
    evaluate(frozen, new Map([...inputs, ...fixed, ...changed]), sizes).outputs.get("loss")!.data[0]!;
}

function frozenName(place: number): string {
  return `detached.${place}`;
}

/** The graph with inputs in the place of these values. */
function freeze(graph: Graph, values: readonly Value[]): Graph {
  return deadCode.run(
    rewrite(graph, (node, _, builder) => {
      const place = values.indexOf(node.results[0]!);
      return place < 0 ? undefined : [builder.input(frozenName(place), "input", node.results[0]!.type)];
    }),
  );
}

/** r times the sum of squares or of sizes, over kernels and tables, as the train entry adds it. */
function penaltyOf(problem: GradientProblem): (parameters: Float64Array) => number {
  const { l1, l2 } = problem.part.penalty;
  const own = weightsOf(problem).filter(({ kind }) => kind !== "other");
  const ranges = own.map(({ offset, shape }) => [offset, offset + shape.reduce((a, b) => a * b, 1)] as const);
  const ofRange = (parameters: Float64Array): number =>
    l1 === 0 && l2 === 0 ? 0 : parameters.reduce((sum, w) => sum + l2 * w * w + l1 * Math.abs(w), 0);
  return (parameters) =>
    ranges.reduce((sum, [start, end]) => sum + ofRange(parameters.subarray(start, end)), 0);
}

/** Compares the reference's gradient with differences of the reference's loss. */
export function checkReferenceGradient(
  problem: GradientProblem,
  { gradient }: ReferenceGradient,
  progress?: (done: number, path: string) => void,
): WeightCheck[] {
  return checkGradient({
    weights: weightsOf(problem),
    parameters: regionOf(problem),
    gradient,
    loss: lossFunction(problem),
    seed: problem.seed,
    ...(progress ? { progress } : {}),
  });
}

/** Floating point operations of one evaluation of the loss with one row. */
export function lossFlops(graphs: ModelGraphs, part: PartPlan): number {
  const grad = gradEntry(graphs, part);
  const { nodes } = deadCode.run({ ...grad, outputs: grad.outputs.filter(({ name }) => name === "loss") });
  const sizes = sizesOf(grad, 1);
  return contractionFlops(nodes, (size) => evaluateDim(size, sizes));
}
