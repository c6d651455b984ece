/** What a person sees while a model trains: a table with a line an epoch, and on a terminal a bar with rate and time left. */
import type { TrainEvent } from "../train/loop.ts";
import { duration, number, percent, sevenWide, sparkline } from "../text.ts";
import { progress, type Progress, type Terminal } from "./terminal.ts";

/** Metrics that are parts of a whole and read best in percent. */
const shares = new Set(["accuracy", "precision", "recall", "f1", "top"]);

function isShare(metric: string): boolean {
  return shares.has(metric.replace(/\(.*/, ""));
}

export function metricText(name: string, value: number): string {
  return isShare(name) ? percent(value) : number(value);
}

type EpochEvent = Extract<TrainEvent, { event: "epoch" }>;

export interface TrainingReport {
  event(event: TrainEvent): void;
  stop(): void;
}

/** Epochs in the curve below the table. */
const mostShown = 60;

export function trainingReport(t: Terminal, epochs: number): TrainingReport {
  let bar: Progress | undefined;
  let total = 0;
  const losses: number[] = [];
  let columns: readonly Column[] | undefined;
  const place = (epoch: number): string => `${String(epoch).padStart(String(epochs).length)}/${epochs}`;
  /** of the epoch under way */
  let steps = 0;
  let busy = 0;
  let stage: string | undefined;
  const open = (step: number): void => {
    steps = busy = 0;
    bar = progress("training", total, t.interactive, step);
  };
  return {
    event(event) {
      switch (event.event) {
        case "start":
          total = event.steps;
          open(event.step);
          break;
        case "step": {
          steps++;
          busy += event.ms;
          const rate = (1000 * steps) / Math.max(busy, 1e-3);
          bar?.update(event.step, `${lossText(event.train)}  ${number(rate)} steps/s`);
          break;
        }
        case "epoch":
          bar?.stop();
          bar = undefined;
          losses.push(event.valid?.["loss"] ?? event.train["loss"] ?? NaN);
          if (event.stage !== stage) {
            stage = event.stage;
            t.print(t.paint.dim(`stage ${stage}`));
          }
          if (!columns) t.print(headLine(t, (columns = columnsOf(event)), place(event.epoch)));
          t.print(epochLine(t, event, columns, place(event.epoch)));
          if (event.step < total) open(event.step);
          break;
        case "end":
          bar?.stop();
          bar = undefined;
          if (losses.length > 2 && losses.every(Number.isFinite))
            t.print(t.paint.dim(`loss by epoch  ${sparkline(losses.slice(-mostShown))}`));
          break;
      }
    },
    stop: () => bar?.stop(),
  };
}

/** A column of the table of epochs: numbers lean right below their name. */
interface Column {
  readonly name: string;
  readonly width: number;
  readonly text: (value: number) => string;
}

function columnOf(name: string, metric: string): Column {
  const text = isShare(metric) ? percent : sevenWide;
  return { name, text, width: Math.max(name.length, isShare(metric) ? percent(1).length : 7) };
}

function columnsOf({ train, valid }: EpochEvent): Column[] {
  return [
    ...Object.keys(train).map((name) => columnOf(name, name)),
    ...Object.keys(valid ?? {}).map((name) => columnOf(isLoss(name) ? `valid ${name}` : name, name)),
  ];
}

/** `loss`, or `loss.Critic` of a step that takes turns */
function isLoss(name: string): boolean {
  return /^loss(\.|$)/.test(name);
}

/** `loss 0.31`, `loss Critic 1.2, Generator 0.9` */
function lossText(losses: Readonly<Record<string, number>>): string {
  const texts = Object.entries(losses).map(([name, value]) =>
    [name.replace(/^loss\.?/, ""), number(value)].filter((part) => part !== "").join(" "),
  );
  return `loss ${texts.join(", ")}`;
}

function headLine(t: Terminal, columns: readonly Column[], epochs: string): string {
  const names = columns.map(({ name, width }) => name.padStart(width));
  return t.paint.dim(["epoch".padEnd(epochs.length), ...names, "time".padStart(7)].join("  "));
}

function epochLine(t: Terminal, event: EpochEvent, columns: readonly Column[], epochs: string): string {
  const values = [...Object.values(event.train), ...Object.values(event.valid ?? {})];
  return [
    epochs.padEnd("epoch".length),
    ...columns.map(({ width, text }, i) => text(values[i] ?? NaN).padStart(width)),
    t.paint.dim((event.ms < 1 ? "< 1 ms" : duration(event.ms)).padStart(7)),
    ...(event.best ? [t.paint.green("best")] : []),
  ].join("  ");
}
