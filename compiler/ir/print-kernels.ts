/**
 * Kernels and programs as text (.dlk): buffers with shapes and places, kernels with grid and stages. Code that is used more
 * than once in a stage stands in a line of its own, `%1 = ...`.
 */
import * as dim from "./dim.ts";
import type { Dim } from "./dim.ts";
import type { Buffer, EntryProgram, Kernel, Program, Stage, Step } from "./kernel.ts";
import type { Affine, LoopAxis, Scalar } from "./scalar.ts";

/** A name for each loop of a kernel, made unique by a number. */
interface Scope {
  axis(axis: LoopAxis): string;
  stage(stage: Stage): string;
}

function scopeOf(kernel: Kernel): Scope {
  const names = new Map<LoopAxis, string>();
  const taken = new Set<string>();
  return {
    axis(axis) {
      let name = names.get(axis);
      if (name === undefined) {
        name = axis.name;
        for (let n = 2; taken.has(name); n++) name = `${axis.name}'${n}`;
        taken.add(name);
        names.set(axis, name);
      }
      return name;
    },
    stage: (stage) => `s${kernel.stages.indexOf(stage)}`,
  };
}

function affineText(a: Affine, scope: Scope): string {
  const terms = a.terms.map(({ axis, coefficient }) =>
    coefficient.key === "1" ? scope.axis(axis) : `${sizeText(coefficient)}*${scope.axis(axis)}`,
  );
  if (a.constant.key !== "0" || terms.length === 0) terms.push(sizeText(a.constant));
  return terms.join(" + ").replaceAll("+ -", "- ");
}

function sizeText(size: Dim): string {
  return size.terms.length > 1 ? `(${size.key})` : size.key;
}

function shapeText(shape: readonly Dim[]): string {
  return `[${shape.map((d) => d.key).join(", ")}]`;
}

function sameShapes(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((d, k) => dim.equal(d, b[k]!));
}

function viewText(buffer: Buffer, shape: readonly Dim[]): string {
  return sameShapes(buffer.shape, shape) ? buffer.name : `${buffer.name} as ${shapeText(shape)} at `;
}

const short = 60;

/** Lines of `%n = ...` and the text of the root. */
function scalarLines(
  root: Scalar,
  scope: Scope,
): { readonly lines: readonly string[]; readonly text: string } {
  const uses = new Map<Scalar, number>();
  const count = (s: Scalar): void => {
    const old = uses.get(s) ?? 0;
    uses.set(s, old + 1);
    if (old > 0) return;
    if (s.kind === "apply") s.operands.forEach(count);
    if (s.kind === "load") for (const i of s.index) if (i.kind === "computed") count(i.value);
  };
  count(root);
  const lines: string[] = [];
  const named = new Map<Scalar, string>();
  const go = (s: Scalar): string => {
    const old = named.get(s);
    if (old !== undefined) return old;
    const text = own(s);
    const simple = s.kind === "constant" || s.kind === "size" || s.kind === "result" || s.kind === "index";
    if (simple || (uses.get(s) === 1 && text.length < short)) return text;
    const name = `%${named.size + 1}`;
    named.set(s, name);
    lines.push(`${name} = ${text}`);
    return name;
  };
  const own = (s: Scalar): string => {
    switch (s.kind) {
      case "constant":
        return s.type === "bool"
          ? s.value
            ? "true"
            : "false"
          : s.type === "i32"
            ? `${s.value}i`
            : `${s.value}`;
      case "index":
        return `index(${affineText(s.index, scope)})`;
      case "size":
        return `size(${s.size.key})`;
      case "inside":
        return `inside(${s.index.map((a, k) => `${affineText(a, scope)} < ${s.shape[k]!.key}`).join(", ")})`;
      case "load": {
        const index = s.index.map((i, k) => {
          const at = i.kind === "affine" ? affineText(i.affine, scope) : `{${go(i.value)}}`;
          return s.guarded.includes(k) ? `${at}?` : at;
        });
        return `${viewText(s.buffer, s.shape)}[${index.join(", ")}]`;
      }
      case "result":
        return `${scope.stage(s.stage)}${s.index.length > 0 ? `[${s.index.map((a) => affineText(a, scope)).join(", ")}]` : ""}`;
      case "apply":
        return `${s.instruction}(${s.operands.map(go).join(", ")})`;
    }
  };
  const text = go(root);
  return { lines, text };
}

function loopsText(axes: readonly LoopAxis[], scope: Scope): string {
  return axes.map((axis) => `${scope.axis(axis)}: ${axis.size.key}`).join(", ");
}

export function printKernel(kernel: Kernel): string {
  const scope = scopeOf(kernel);
  const lines = [`kernel ${kernel.name} (${loopsText(kernel.grid, scope)})`];
  const { contraction } = kernel;
  if (contraction) {
    const role = (name: string, axes: readonly LoopAxis[]): string =>
      axes.length === 0 ? "" : ` ${name}(${axes.map((a) => scope.axis(a)).join(", ")})`;
    lines.push(
      `  contraction${role("batch", contraction.batch)}${role("rows", contraction.rows)}${role("columns", contraction.columns)}${role("inner", contraction.inner)}${contraction.prepacked ? " prepacked" : ""}`,
    );
  }
  for (const { stage, row } of kernel.lists ?? []) lines.push(`  lists s${stage} by ${scope.axis(row)}`);
  kernel.stages.forEach((stage, n) => {
    const around = stage.axes.length > 0 ? ` for (${loopsText(stage.axes, scope)})` : "";
    const combine = stage.combine ? `${stage.combine} over (${loopsText(stage.over, scope)}) of ` : "";
    const code = scalarLines(stage.value, scope);
    const { place } = stage;
    const target =
      place.kind === "register"
        ? `s${n}`
        : place.kind === "tile"
          ? `tile s${n}[${stage.axes.map((a) => scope.axis(a)).join(", ")}]`
          : `${viewText(place.buffer, place.shape)}[${place.index.map((a) => affineText(a, scope)).join(", ")}]`;
    for (const line of code.lines) lines.push(`    ${line}`);
    lines.push(`  ${target}${around} = ${combine}${code.text}`);
  });
  return lines.join("\n");
}

function printStep(step: Step): string {
  if (step.kind === "kernel") return printKernel(step.kernel);
  if (step.kind === "pack") return `pack b of ${step.kernel.name}`;
  const inside = step.steps.map(printStep).join("\n").split("\n");
  return [`loop ${step.counter.name} < ${step.counter.size.key}`, ...inside.map((line) => `  ${line}`)].join(
    "\n",
  );
}

export function printEntry(entry: EntryProgram): string {
  const dims = entry.dims.map((d) => (d.max === undefined ? d.name : `${d.name} <= ${d.max}`)).join(", ");
  const lines = [`entry ${entry.name} (${dims})`];
  for (const { name, role, buffer } of entry.inputs)
    lines.push(`  ${role} ${name}: ${buffer.dtype}${shapeText(buffer.shape)}`);
  for (const { name, buffer } of entry.outputs)
    lines.push(`  output ${name}: ${buffer.dtype}${shapeText(buffer.shape)}`);
  lines.push(...entry.steps.map(printStep));
  for (const { from, to } of entry.copies) lines.push(`copy ${from.name} to ${to.name}`);
  return lines.join("\n");
}

export function printProgram(program: Program): string {
  return program.entries.map(printEntry).join("\n\n") + "\n";
}

/** Every buffer with its bytes from the start of memory, in order. */
export function printPlan(program: Program): string {
  const lines = [`shared ${program.sharedBytes} bytes`];
  for (const entry of program.entries)
    lines.push(`entry ${entry.name}: ${program.bytes.get(entry)!.key} bytes`);
  const places = [...program.places].map(([buffer, place]) => ({ buffer, place }));
  for (const { buffer, place } of places)
    lines.push(`  ${buffer.name}: ${buffer.dtype}${shapeText(buffer.shape)} at ${place.key}`);
  return lines.join("\n") + "\n";
}
