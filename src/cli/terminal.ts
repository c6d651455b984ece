/** What commands print with: colours where they are wanted, tables that fit, numbers for people, progress bars. */
import { SingleBar } from "cli-progress";
import { createColors } from "picocolors";

export interface Terminal {
  /** standard output is a terminal and a person reads it */
  readonly interactive: boolean;
  readonly color: boolean;
  readonly width: number;
  readonly paint: ReturnType<typeof createColors>;
  /** a line of results on standard output */
  print(line?: string): void;
  /** a part of a line of results */
  write(text: string): void;
  /** a line about the work itself, on standard error */
  say(line?: string): void;
  /** on a terminal, what is being done, until the next line */
  status(text: string): void;
}

/** Whether a status stands on the line of the cursor. */
let statusShown = false;

function clearStatus(): void {
  if (statusShown) process.stderr.write("\r\u001b[K");
  statusShown = false;
}

/** NO_COLOR and --no-color win; JSON output is never painted. */
export function terminal(options: { color?: boolean } = {}): Terminal {
  const interactive = process.stdout.isTTY === true;
  const color =
    options.color !== false && !process.env["NO_COLOR"] && interactive && process.env["TERM"] !== "dumb";
  const colors = createColors(color);
  return {
    interactive,
    color,
    width: Math.max(40, process.stdout.columns ?? 100),
    paint: colors,
    print(line = "") {
      clearStatus();
      process.stdout.write(line + "\n");
    },
    write(text) {
      clearStatus();
      process.stdout.write(text);
    },
    say(line = "") {
      clearStatus();
      process.stderr.write(line + "\n");
    },
    status(text) {
      if (!interactive || process.stderr.isTTY !== true) return;
      clearStatus();
      process.stderr.write(colors.dim(`${text} …`));
      statusShown = true;
    },
  };
}

/** One JSON line on standard output. */
export function printJson(value: unknown): void {
  process.stdout.write(JSON.stringify(value) + "\n");
}

// oxlint-disable-next-line no-control-regex
const escapes = /\u001b\[[0-9;]*m/g;

export function visibleLength(text: string): number {
  return text.replace(escapes, "").length;
}

/** Columns padded to their widest cell; those named in `right` lean right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, visibleLength(cell))));
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const space = " ".repeat(widths[i]! - visibleLength(cell));
        return right.includes(i) ? space + cell : cell + space;
      })
      .join("  ")
      .trimEnd(),
  );
}

export interface Progress {
  update(done: number, text: string): void;
  stop(): void;
}

/**
 * A bar on standard error where that is a terminal; nothing elsewhere. `{text}` is what the caller says of the moment,
 * `from` what was done before it.
 */
export function progress(label: string, total: number, shown: boolean, from = 0): Progress {
  if (!shown || process.stderr.isTTY !== true) return { update: () => {}, stop: () => {} };
  clearStatus();
  const bar = new SingleBar({
    format: `${label} {bar} {value}/{total}  {text}  {eta_formatted} left`,
    barCompleteChar: "━",
    barIncompleteChar: "─",
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    fps: 8,
    barsize: 24,
    etaBuffer: 50,
    stream: process.stderr,
  });
  bar.start(total, from, { text: "" });
  return {
    update: (done, text) => bar.update(done, { text }),
    stop: () => bar.stop(),
  };
}
