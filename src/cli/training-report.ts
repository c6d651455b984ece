/** What a person sees while a model trains: a line an epoch, and on a terminal a bar with rate and time left. */
import type { TrainEvent } from "../train/loop.ts";
import { duration, number, percent, sparkline } from "../text.ts";
import { progress, type Progress, type Terminal } from "./terminal.ts";

/** Metrics that are parts of a whole and read best in percent. */
const shares = new Set(["accuracy", "precision", "recall", "f1", "top"]);

export function metricText(name: string, value: number): string {
  return shares.has(name.replace(/\(.*/, "")) ? percent(value) : number(value);
}

export interface TrainingReport {
  event(event: TrainEvent): void;
  stop(): void;
}

export function trainingReport(t: Terminal, epochs: number): TrainingReport {
  let bar: Progress | undefined;
  let total = 0;
  const losses: number[] = [];
  const width = String(epochs).length;
  /** of the epoch under way */
  let steps = 0;
  let busy = 0;
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
          bar?.update(event.step, `loss ${number(event.train.loss)}  ${number(rate)} steps/s`);
          break;
        }
        case "epoch":
          bar?.stop();
          bar = undefined;
          losses.push(event.valid?.["loss"] ?? event.train.loss);
          t.print(epochLine(t, event, epochs, width));
          if (event.step < total) open(event.step);
          break;
        case "end":
          bar?.stop();
          bar = undefined;
          if (losses.length > 2 && losses.every(Number.isFinite))
            t.print(t.paint.dim(`${" ".repeat(2 * width + 8)}loss ${sparkline(losses)} by epoch`));
          break;
      }
    },
    stop: () => bar?.stop(),
  };
}

function epochLine(
  t: Terminal,
  event: Extract<TrainEvent, { event: "epoch" }>,
  epochs: number,
  width: number,
): string {
  const parts = [
    `epoch ${String(event.epoch).padStart(width)}/${epochs}`,
    `loss ${number(event.train.loss).padEnd(7)}`,
  ];
  if (event.valid) {
    const { loss, ...rest } = event.valid;
    if (loss !== undefined) parts.push(`valid loss ${number(loss).padEnd(7)}`);
    for (const [name, value] of Object.entries(rest)) parts.push(`${name} ${metricText(name, value)}`);
  }
  parts.push(t.paint.dim(duration(event.ms)));
  if (event.best) parts.push(t.paint.green("best so far"));
  return parts.join("   ");
}
