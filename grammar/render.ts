// Diagnostics for people (a terminal) and for programs (JSON).
import { createColors } from "./colors.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { lineText, positionOf } from "./source.ts";
import type { Position, Source, Span } from "./source.ts";
import { printable, textWidth, wrap } from "./text-width.ts";

export interface RenderOptions {
  readonly color: boolean;
  /** terminal columns; Infinity where lines may have any length */
  readonly width: number;
}

const noLimit: RenderOptions = { color: false, width: Infinity };

// ---------------------------------------------------------------- terminal

interface Mark {
  readonly label: Label;
  readonly primary: boolean;
}

/** Labels of one line of one source, under one copy of that line. */
interface Excerpt {
  readonly source: Source;
  readonly line: number;
  readonly marks: Mark[];
}

/** All diagnostics, with a blank line between two. */
export function renderAll(diagnostics: readonly Diagnostic[], options: RenderOptions = noLimit): string {
  return diagnostics.map((diagnostic) => render(diagnostic, options)).join("\n");
}

/** One diagnostic, its lines ended by newlines. The primary label's line comes first, whatever its number. */
export function render(diagnostic: Diagnostic, options: RenderOptions = noLimit): string {
  const colors = createColors(options.color);
  const accent = { error: colors.red, warning: colors.yellow, note: colors.cyan }[diagnostic.severity];
  const excerpts = excerptsOf(diagnostic);
  const gutter = Math.max(...excerpts.map(({ line }) => String(line).length));
  const bar = colors.blue("│");
  const blank = " ".repeat(gutter);
  const lines: string[] = [];

  lines.push(
    colors.bold(accent(`${diagnostic.severity}[${diagnostic.code}]`)) +
      colors.bold(`: ${diagnostic.message}`),
  );
  let shown: Source | undefined;
  for (const excerpt of excerpts) {
    if (excerpt.source.path !== shown?.path) {
      const { line, column } = positionOf(excerpt.source, excerpt.marks[0]!.label.span.start);
      lines.push(`${blank} ${colors.blue("┌─")} ${excerpt.source.path}:${line}:${column}`);
      shown = excerpt.source;
    }
    const room = Math.max(20, options.width - gutter - 3);
    const { text, shift } = windowOf(excerpt, room);
    lines.push(`${colors.blue(String(excerpt.line).padStart(gutter))} ${bar} ${text}`.trimEnd());
    for (const { label, primary } of excerpt.marks) {
      const paint = primary ? accent : colors.blue;
      for (const row of underline(excerpt, label, shift, room)) {
        lines.push(`${blank} ${bar} ${row.indent}${paint(row.text)}`.trimEnd());
      }
    }
  }
  for (const note of diagnostic.notes) {
    lines.push(...hanging(`${blank} ${colors.blue("=")} `, gutter + 3, note, options.width));
  }
  for (const help of diagnostic.helps) {
    lines.push(...hanging(colors.bold(colors.green("help")) + ": ", 6, help.text, options.width));
  }
  return lines.map((line) => `${line}\n`).join("");
}

function excerptsOf(diagnostic: Diagnostic): Excerpt[] {
  const excerpts: Excerpt[] = [];
  const labels = [diagnostic.primary, ...diagnostic.labels];
  labels.forEach((label, index) => {
    const { source, start } = label.span;
    const { line } = positionOf(source, start);
    const known = excerpts.find((excerpt) => excerpt.line === line && excerpt.source.path === source.path);
    const mark = { label, primary: index === 0 };
    if (known) known.marks.push(mark);
    else excerpts.push({ source, line, marks: [mark] });
  });
  return excerpts;
}

/** Columns of a span in its printed line; of a span over several lines the part in the first. */
function columnsOf({ source, start, end }: Span, line: number): { from: number; to: number } {
  const text = lineText(source, line);
  const first = positionOf(source, start).column - 1;
  const last = Math.min(first + (end - start), text.trimEnd().length);
  const from = textWidth(printable(text.slice(0, first)));
  return { from, to: Math.max(from + 1, textWidth(printable(text.slice(0, last)))) };
}

/** The part of the line that fits: from its start, or else shifted so that the labels can be seen. */
function windowOf({ source, line, marks }: Excerpt, room: number): { text: string; shift: number } {
  const text = printable(lineText(source, line));
  if (textWidth(text) <= room) return { text, shift: 0 };
  const leftmost = Math.min(...marks.map(({ label }) => columnsOf(label.span, line).from));
  const rightmost = Math.max(...marks.map(({ label }) => columnsOf(label.span, line).to));
  const shift = rightmost <= room - 1 ? 0 : Math.max(0, leftmost - 8);
  const kept = cut(text, shift, shift + room - (shift > 0 ? 2 : 1));
  return {
    text: (shift > 0 ? "…" : "") + kept.text + (kept.rest ? "…" : ""),
    shift: shift > 0 ? shift - 1 : 0,
  };
}

/** The columns from `start` to `end` of a printable text. */
function cut(text: string, start: number, end: number): { text: string; rest: boolean } {
  let column = 0;
  let kept = "";
  for (const character of text) {
    const width = textWidth(character);
    if (column + width > end) return { text: kept, rest: true };
    if (column >= start) kept += character;
    column += width;
  }
  return { text: kept, rest: false };
}

interface Row {
  readonly indent: string;
  readonly text: string;
}

/** `────── text`, or the text on lines of its own where it does not fit behind. */
function underline(excerpt: Excerpt, label: Label, shift: number, room: number): Row[] {
  const { from, to } = columnsOf(label.span, excerpt.line);
  const start = Math.max(0, from - shift);
  const length = Math.max(1, Math.min(to - shift, room) - start);
  const indent = " ".repeat(start);
  const dashes = "─".repeat(length);
  if (label.text === "") return [{ indent, text: dashes }];
  if (start + length + 1 + textWidth(label.text) <= room)
    return [{ indent, text: `${dashes} ${label.text}` }];
  const below = start <= room / 2 ? indent : "    ";
  return [
    { indent, text: dashes },
    ...wrap(label.text, room - below.length).map((text) => ({ indent: below, text })),
  ];
}

function hanging(head: string, indent: number, text: string, width: number): string[] {
  const lines = text.split("\n").flatMap((line) => wrap(line, Math.max(20, width - indent)));
  return lines.map((line, index) => (index === 0 ? head + line : (" ".repeat(indent) + line).trimEnd()));
}

// ---------------------------------------------------------------- JSON

export interface JsonRange {
  readonly start: Position;
  readonly end: Position;
}

/** The object `dlmc check --json` prints in one line. Lines and columns count from 1, the end is exclusive. */
export interface JsonDiagnostic {
  readonly code: string;
  readonly severity: Diagnostic["severity"];
  readonly message: string;
  readonly file: string;
  readonly range: JsonRange;
  /** what the primary place says */
  readonly label: string;
  /** `file` only where it is another one */
  readonly labels: readonly { readonly file?: string; readonly range: JsonRange; readonly text: string }[];
  readonly notes: readonly string[];
  readonly helps: readonly {
    readonly text: string;
    readonly edits?: readonly { readonly file?: string; readonly range: JsonRange; readonly text: string }[];
  }[];
}

export function toJson(diagnostic: Diagnostic): JsonDiagnostic {
  const file = diagnostic.primary.span.source.path;
  const place = ({ span, text }: { readonly span: Span; readonly text: string }) => ({
    ...(span.source.path === file ? {} : { file: span.source.path }),
    range: rangeOf(span),
    text,
  });
  return {
    code: diagnostic.code,
    severity: diagnostic.severity,
    message: diagnostic.message,
    file,
    range: rangeOf(diagnostic.primary.span),
    label: diagnostic.primary.text,
    labels: diagnostic.labels.map(place),
    notes: diagnostic.notes,
    helps: diagnostic.helps.map(({ text, edits }) => (edits ? { text, edits: edits.map(place) } : { text })),
  };
}

function rangeOf({ source, start, end }: Span): JsonRange {
  return { start: positionOf(source, start), end: positionOf(source, end) };
}
