/** A model's stages as a table: what each line of the program gives, how many weights it has. */
import type { StageRow } from "../../compiler/check/frame.ts";
import type { CheckType, ShowDim } from "../../compiler/check/type.ts";
import * as dim from "../../compiler/ir/dim.ts";
import type { Architecture, EntryMemory } from "../architecture.ts";
import { bytesText, flopText, number } from "../text.ts";
import { table, type Terminal } from "./terminal.ts";

/** Stages that stand on one line of the program. */
interface Line {
  readonly stages: readonly string[];
  readonly type: CheckType;
  readonly parameters: number;
}

export function architectureTable(t: Terminal, model: Architecture): string[] {
  // the other columns and the spaces between them take about 44
  const room = Math.max(30, t.width - 44);
  const lines = linesOf(
    model.layers.map(({ row }) => row),
    room,
  );
  const first = Math.max(
    0,
    ...lines.filter(({ stages }) => stages.length > 1).map((l) => l.stages[0]!.length),
  );
  const rows = lines.map(({ stages, type, parameters }) => {
    const [head, ...rest] = stages;
    const text = rest.length === 0 ? head! : `${head!.padEnd(first)} ${rest.join(" ")}`;
    const { size, element } = sizeText(type, model.show);
    return [`  ${shortened(text, room)}`, size, element, parameters === 0 ? "" : number(parameters)];
  });
  const header = [t.paint.bold(model.name), "output size", "", "params"].map((cell, i) =>
    i === 0 ? cell : t.paint.dim(cell),
  );
  const totals = [
    `${number(model.parameters)} parameters`,
    `${bytesText(4 * model.parameters)} f32`,
    `${flopText(model.flops)} a row`,
  ];
  return [
    ...table([header, ...rows], [1, 3]),
    `  ${totals.join(" · ")}`,
    ...memoryLine(model.memory),
    ...(model.unknown.length > 0
      ? [t.paint.yellow(`  without what the data decides: ${model.unknown.join(", ")} is not known yet`)]
      : []),
  ];
}

function memoryLine(memory: Architecture["memory"]): string[] {
  const parts = (["infer", "train"] as const).flatMap((name) => {
    const entry = memory[name];
    return entry ? [`${name} ${bytesText(entry.bytes)}${sizesText(entry)}`] : [];
  });
  return parts.length === 0 ? [] : [`  peak memory: ${parts.join(" · ")}`];
}

function sizesText({ sizes }: EntryMemory): string {
  return sizes.size === 0 ? "" : ` at ${[...sizes].map(([name, size]) => `${name} = ${size}`).join(", ")}`;
}

function shortened(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

/** Rows inside another row (the arguments of a concat) are part of it; rows that begin on one line are one, as far as they fit. */
function linesOf(rows: readonly StageRow[], room: number): Line[] {
  const inside = (row: StageRow): boolean =>
    rows.some(
      ({ span }) =>
        span.source === row.span.source &&
        span.start <= row.span.start &&
        span.end >= row.span.end &&
        span.end - span.start > row.span.end - row.span.start,
    );
  const lines: { stages: string[]; type: CheckType; parameters: number; at: string }[] = [];
  let waiting = 0;
  for (const row of rows) {
    if (inside(row)) {
      waiting += row.parameters;
      continue;
    }
    const at = lineOf(row);
    const last = lines.at(-1);
    const text = `${isPiped(row) ? "-> " : ""}${row.text}`;
    const parameters = row.parameters + waiting;
    waiting = 0;
    if (last?.at === at && isPiped(row) && [...last.stages, text].join(" ").length <= room) {
      last.stages.push(text);
      last.type = row.type;
      last.parameters += parameters;
    } else lines.push({ stages: [text], type: row.type, parameters, at });
  }
  return lines;
}

function lineOf({ span }: StageRow): string {
  return `${span.source.path}:${span.source.text.slice(0, span.start).split("\n").length}`;
}

function isPiped({ span }: StageRow): boolean {
  return span.source.text.slice(0, span.start).trimEnd().endsWith("->");
}

/** Without the free leading dim, the rows. */
function sizeText(type: CheckType, show: ShowDim): { readonly size: string; readonly element: string } {
  const shape = type.axes.map(({ size }) => size.dim);
  const row = shape[0] !== undefined && dim.constantOf(shape[0]) === undefined ? shape.slice(1) : shape;
  const sizes = row.map((size) => {
    const known = dim.constantOf(size);
    return known === undefined ? show(size) : number(known);
  });
  const element =
    type.element === "f32"
      ? ""
      : type.element === "int"
        ? `int<${type.bound ? show(type.bound.dim) : "?"}>`
        : type.element;
  return { size: sizes.length === 0 ? "1" : sizes.join(" × "), element };
}
