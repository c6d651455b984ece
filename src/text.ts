/** Numbers, sizes and times as people read them. */

/** 4 significant digits, no exponent where one can read it without. */
export function number(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return value.toLocaleString("en-US");
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(3) : value.toPrecision(4);
}

/** In 7 characters (8 where it is negative), so that numbers of any size stand below each other. */
export function sevenWide(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return String(value);
  if ((size !== 0 && size < 1e-3) || size >= 1e6) return value.toExponential(2);
  const digits = Math.max(1, Math.floor(Math.log10(Math.max(size, 1))) + 1);
  return value.toFixed(Math.max(0, 6 - digits));
}

export function percent(value: number): string {
  return `${(100 * value).toFixed(2)} %`;
}

export function bytesText(value: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** Floating point operations: `8.5 MFLOP` */
export function flopText(value: number): string {
  const units = ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toPrecision(2)} ${units[unit]}`;
}

export function duration(milliseconds: number): string {
  if (milliseconds < 1) return `${milliseconds.toFixed(3)} ms`;
  if (milliseconds < 1000)
    return `${milliseconds < 10 ? milliseconds.toFixed(1) : milliseconds.toFixed(0)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${Math.round(seconds - 60 * minutes)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Eight heights of a bar, for a curve in one line of text. */
export function sparkline(values: readonly number[]): string {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  const span = high - low || 1;
  return values
    .map((v) => (Number.isFinite(v) ? "▁▂▃▄▅▆▇█"[Math.min(7, Math.floor((8 * (v - low)) / span))] : "!"))
    .join("");
}
