// What is printed of rows.
import { bestWasm } from "./measures.mjs";
import { quantile } from "./statistics.mjs";

export const milli = (time) => (time < 1 ? time.toFixed(3) : time < 10 ? time.toFixed(2) : time.toFixed(1));

const wide = [34, 17];
export const line = (cells) =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(wide[0]) : cell.padStart(wide[1]))).join(" ");

export function header(peers) {
  return line([
    "",
    "dlmc (10 %)",
    "strict (10 %)",
    ...peers,
    "to best wasm peer",
    "GFLOP/s",
    "bandwidth",
    "calls 1 / 2 / 10",
  ]);
}

/** The row of the table: milliseconds, ratios, parts of what the machine gives. */
export function rowLine({ name, traffic }, { sides }, result, peers) {
  const spread = ({ times, error }) =>
    error === undefined ? `${milli(quantile(times, 0.5))} (${milli(quantile(times, 0.1))})` : "-";
  const { time, gflops, peak, copy, read, opening } = result;
  const best = bestWasm(result.peers);
  const part = (value) => `${(100 * value).toFixed(0)} %`;
  const bandwidth = traffic?.written === 0 ? `${part(read / time)} of read` : `${part(copy / time)} of copy`;
  return line([
    name,
    spread(sides.dlmc),
    spread(sides.strict),
    ...peers.map((peer) => (sides[peer] ? spread(sides[peer]) : "-")),
    best === undefined ? "-" : `${(best / time).toFixed(2)} x`,
    gflops > 0.1 ? `${gflops.toFixed(1)} (${part(gflops / peak)})` : "-",
    traffic ? bandwidth : "-",
    [0, 1, 9].map((i) => (opening[i] === undefined ? "-" : milli(opening[i]))).join(" / "),
  ]);
}

const barWidth = 40;

/** Bars: how many times as fast as the best peer on WebAssembly, and as PyTorch. */
export function chart(rows) {
  const bars = rows.flatMap(({ name, result }) => {
    const best = bestWasm(result.peers);
    const torch = result.peers.get("torch");
    return [
      ...(best === undefined ? [] : [[name, "wasm", best / result.time]]),
      ...(torch === undefined ? [] : [[name, "torch", torch / result.time]]),
    ];
  });
  const longest = Math.max(1, ...bars.map(([, , ratio]) => ratio));
  const scale = (ratio) =>
    Math.max(1, Math.round((Math.log2(1 + ratio) / Math.log2(1 + longest)) * barWidth));
  return bars.map(
    ([name, to, ratio]) =>
      `${name.padEnd(wide[0])} ${to.padEnd(6)} ${"#".repeat(scale(ratio))} ${ratio.toFixed(2)} x`,
  );
}
