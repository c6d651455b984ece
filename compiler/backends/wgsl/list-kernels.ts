/**
 * Lists of the positions of each row, made before a kernel that sums by them: every row's first position is -1, then
 * each position looks behind itself for the next of its row, and before itself to know whether it is the first.
 */
import { numbersOf } from "../../ir/chosen-sum.ts";
import { InternalError } from "../../ir/internal-error.ts";
import type { Buffer, Kernel, RowLists, Stage } from "../../ir/kernel.ts";
import type { LoopAxis } from "../../ir/scalar.ts";
import { affineAxis } from "../../ir/scalar.ts";
import { flatten, loopOf } from "../access.ts";
import { makeEmitter } from "./emitter.ts";
import { unflatten } from "./reductions.ts";
import { beginInvocation, invocationShader } from "./invocation-kernel.ts";
import { contextOf, iterationsOf } from "./shader.ts";
import type { Maker, Shader } from "./shader.ts";
import { makeWriter } from "./writer.ts";

export function listKernels(maker: Maker, kernel: Kernel): Shader[] {
  return (kernel.lists ?? []).flatMap((lists) => [
    emptyList(maker, kernel, lists),
    linkedList(maker, kernel, lists),
  ]);
}

const at = (axis: LoopAxis, buffer: Buffer) => flatten([affineAxis(axis)], buffer.shape);

function emptyList(maker: Maker, { name, origins }: Kernel, { first }: RowLists): Shader {
  const axis: LoopAxis = { name: "row", size: first.shape[0]! };
  const kernel: Kernel = { name: `${name}_rows`, grid: [axis], stages: [], contraction: undefined, origins };
  const context = contextOf(maker, kernel, () => "", { written: [first] });
  const writer = makeWriter();
  const emitter = makeEmitter(writer, context);
  beginInvocation(emitter, axis.size);
  emitter.bind(axis, "id");
  emitter.store(first, at(axis, first), "-1");
  return invocationShader(maker, kernel, context, writer.text(), axis.size);
}

function linkedList(maker: Maker, { name, origins, stages }: Kernel, lists: RowLists): Shader {
  const { over } = stages[lists.stage]!;
  const id = numbersOf(stages[lists.stage]!)?.[0];
  if (id === undefined) throw new InternalError("wgsl", "a sum with lists chooses by no number", undefined);
  const value: Stage = { axes: [], over: [], combine: undefined, value: id, place: { kind: "register" } };
  const kernel: Kernel = {
    name: `${name}_links`,
    grid: over,
    stages: [value],
    contraction: undefined,
    origins,
  };
  const positions = iterationsOf(over);
  const context = contextOf(maker, kernel, () => "", { written: [lists.first, lists.next] });
  const writer = makeWriter();
  const emitter = makeEmitter(writer, context);
  const count = emitter.size(positions);
  const row = (position: string): string => {
    unflatten(emitter, over.map(loopOf), position);
    return emitter.scalar(id);
  };
  beginInvocation(emitter, positions);
  const own = row("id");
  const scan = (start: string, condition: string, step: string, found: string, none: string): string => {
    const result = writer.fresh("s");
    const i = writer.fresh("i");
    writer.line(`var ${result} = ${none};`);
    emitter.open(`for (var ${i} = ${start}; ${i} ${condition}; ${i}${step}) {`);
    writer.line(`if (${row(`i32(${i})`)} == ${own}) { ${result} = ${found.replaceAll("#", i)}; break; }`);
    emitter.close();
    return result;
  };
  const next = scan("id + 1", `< ${count}`, "++", "#", "-1");
  const before = scan("id - 1", ">= 0", "--", "#", "-1");
  const axis: LoopAxis = { name: "position", size: positions };
  emitter.bind(axis, "id");
  emitter.store(lists.next, at(axis, lists.next), next);
  emitter.open(`if (${before} < 0) {`);
  emitter.store(lists.first, flatten([{ kind: "computed", value: id }], lists.first.shape), "id");
  emitter.close();
  return invocationShader(maker, kernel, context, writer.text(), positions);
}
