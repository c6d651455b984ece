/** What holds for every kernel: positions proved inside or guarded, results read after they are made, buffers read or written. */
import * as dim from "../ir/dim.ts";
import { InternalError } from "../ir/internal-error.ts";
import { flatSteps } from "../ir/kernel.ts";
import type { EntryProgram, Kernel, Stage } from "../ir/kernel.ts";
import { printKernel } from "../ir/print-kernels.ts";
import type { LoopAxis, Scalar } from "../ir/scalar.ts";
import { elements } from "../ir/type.ts";
import { disjoint, provedInside } from "./bounds.ts";
import { affinesOf, axesIn, loadsIn, visit } from "./scalar-walk.ts";
import { rowOf } from "./row-lists.ts";
import { onlyItsElement } from "./update-in-place.ts";

/** Throws InternalError, with the kernel's text, at the first thing that does not hold. */
export function verifyKernels(entry: EntryProgram): void {
  const names = new Set<string>();
  for (const step of flatSteps(entry.steps)) {
    const { kernel } = step;
    if (step.kind === "kernel" && names.has(kernel.name)) fail(kernel, "another kernel has this name");
    if (step.kind === "kernel") names.add(kernel.name);
    verifyKernel(kernel);
  }
}

function fail(kernel: Kernel, message: string): never {
  throw new InternalError("verify kernels", `${kernel.name}: ${message}`, printKernel(kernel));
}

export function verifyKernel(kernel: Kernel): void {
  const done = new Set<Stage>();
  for (const stage of kernel.stages) {
    const loops = new Set<LoopAxis>([...kernel.grid, ...stage.axes, ...stage.over]);
    if (loops.size !== kernel.grid.length + stage.axes.length + stage.over.length)
      fail(kernel, "a loop stands twice around a stage");
    if (stage.combine === undefined && stage.over.length > 0)
      fail(kernel, "a stage that combines nothing has loops to combine over");
    if (stage.place.kind === "register" && stage.axes.length > 0)
      fail(kernel, "a register holds one scalar, and its stage has axes");
    visit(stage.value, (s) => verifyScalar(kernel, s, loops, done));
    verifyPlace(kernel, stage);
    done.add(stage);
  }
  verifyAccess(kernel);
  if (kernel.contraction) verifyContraction(kernel);
  for (const { stage, row } of kernel.lists ?? []) {
    const listed = kernel.stages[stage];
    if (!kernel.grid.includes(row) || !listed || rowOf(listed, kernel.grid) !== row)
      fail(kernel, "a sum has lists, and does not choose by a row of the grid");
  }
}

function verifyScalar(
  kernel: Kernel,
  s: Scalar,
  loops: ReadonlySet<LoopAxis>,
  done: ReadonlySet<Stage>,
): void {
  for (const a of affinesOf(s))
    for (const { axis } of a.terms)
      if (!loops.has(axis) && !axis.counter)
        fail(kernel, `${s.kind} uses a loop ${axis.name} that is not around it`);
  if (s.kind === "result") {
    if (!done.has(s.stage)) fail(kernel, "a stage reads one that is not before it");
    if (s.index.length !== s.stage.axes.length)
      fail(kernel, "a result has not one position per axis of its stage");
    s.index.forEach((a, k) => {
      if (!provedInside(a, s.stage.axes[k]!.size)) fail(kernel, "a tile is read outside");
    });
  }
  if (s.kind !== "load") return;
  if (s.index.length !== s.shape.length)
    fail(kernel, `a load of ${s.buffer.name} has not one position per axis`);
  if (!dim.equal(dim.product(s.shape), elements(s.buffer)))
    fail(kernel, `a load of ${s.buffer.name} reads through a view with another number of elements`);
  s.index.forEach((i, k) => {
    if (i.kind === "computed" || s.guarded.includes(k)) return;
    if (!provedInside(i.affine, s.shape[k]!))
      fail(kernel, `axis ${k} of a load of ${s.buffer.name} is neither proved inside nor guarded`);
  });
}

function verifyPlace(kernel: Kernel, { place, axes }: Stage): void {
  if (place.kind === "tile") {
    if (!dim.equal(elements(place.buffer), dim.product(axes.map((a) => a.size))))
      fail(kernel, "a tile does not have the size of its stage's axes");
    return;
  }
  if (place.kind !== "store") return;
  if (!dim.equal(dim.product(place.shape), elements(place.buffer)))
    fail(kernel, `a store into ${place.buffer.name} has another number of elements`);
  const loops = new Set<LoopAxis>([...kernel.grid, ...axes]);
  const used = new Set<LoopAxis>();
  place.index.forEach((a, k) => {
    if (!provedInside(a, place.shape[k]!))
      fail(kernel, `axis ${k} of the store into ${place.buffer.name} is not proved inside`);
    for (const { axis } of a.terms) {
      if (axis.counter) continue;
      if (!loops.has(axis)) fail(kernel, `the store uses a loop ${axis.name} that is not around it`);
      used.add(axis);
    }
  });
  if (used.size !== loops.size)
    fail(kernel, `iterations store into the same element of ${place.buffer.name}`);
}

/** A buffer that is written is not read in the same kernel, except at the very element before it is written, or in another range. */
function verifyAccess(kernel: Kernel): void {
  for (const { place } of kernel.stages) {
    if (place.kind !== "store" || onlyItsElement(kernel, place.buffer, place.buffer)) continue;
    for (const stage of kernel.stages)
      for (const load of loadsIn(stage.value))
        if (load.buffer === place.buffer && !disjoint(load, place))
          fail(kernel, `${place.buffer.name} is written, and read at other elements`);
  }
}

function verifyContraction(kernel: Kernel): void {
  const { batch, rows, columns, inner, a, b } = kernel.contraction!;
  const [first, ...epilogue] = kernel.stages;
  const product = first!.value;
  if (first!.combine !== "sum" || product.kind !== "apply" || product.instruction !== "mul")
    fail(kernel, "a contraction begins with a sum of products");
  if (
    new Set([a, b]).size + (a === b ? 1 : 0) !== 2 ||
    !product.operands.includes(a) ||
    !product.operands.includes(b)
  )
    fail(kernel, "the factors are not those of the stage");
  const grid = [...batch, ...rows, ...columns];
  if (grid.length !== kernel.grid.length || !grid.every((axis) => kernel.grid.includes(axis)))
    fail(kernel, "batch, rows and columns are not the grid");
  if (inner.some((axis) => !first!.over.includes(axis))) fail(kernel, "inner is not what the sum is over");
  const onlyIn = (s: Scalar, axes: readonly LoopAxis[]): boolean => {
    const used = axesIn(s);
    return axes.every((axis) => !used.has(axis));
  };
  if (!onlyIn(a, columns) || !onlyIn(b, rows)) fail(kernel, "a depends on columns, or b on rows");
  for (const s of epilogue)
    if (s.axes.length > 0 || s.over.length > 0 || s.place.kind !== "store")
      fail(kernel, "the epilogue of a contraction stores one element at a time");
  if (loadsIn(a).length === 0 && loadsIn(b).length === 0) fail(kernel, "nothing is read");
}
