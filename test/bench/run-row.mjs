// One row: all its sides are opened, then measured in turn.
import { prepared } from "./own.mjs";
import { startSide } from "./contender.mjs";
import { median } from "./statistics.mjs";

/** Both kinds of code of the product, each in a fresh process: what a first call takes is part of the row. */
export const own = ["dlmc", "strict"];
const ceilingParts = ["peak", "strict", "copy", "read"];
/** A part of the ceiling needs less time than a side, which has more to be steady about. */
const ceilingShare = 1 / 6;

/**
 * { sides: { NAME: { times, opening } or { error } }, ceiling: { PART: times }, flops, facts }. `peers`: running sides by
 * name. The first round warms up and is not counted.
 */
export async function runRow(row, { peers, ceiling, folder, rounds, milliseconds, clock }) {
  const { flops, facts, ...requests } = await prepared(row);
  const fresh = { dlmc: startSide("dlmc", folder), strict: startSide("dlmc", folder) };
  const timing = { milliseconds, clock };
  const sides = new Map();
  const open = async (name, side, request) => {
    const answer = await side.ask({ what: "open", ...timing, ...request });
    sides.set(name, { side, times: [], ...answer });
  };
  try {
    await open("dlmc", fresh.dlmc, requests.relaxed);
    await open("strict", fresh.strict, requests.strict);
    for (const [name, side] of peers) {
      const graph = row.peers[name];
      if (!graph) continue;
      const [make, ...args] = name === "torch" ? graph : [];
      await open(name, side, { file: row.file, name: row.name, ...(make && { make, arguments: args }) });
    }
    await ceiling.ask({ what: "open", ...timing, ...(row.traffic && { traffic: row.traffic }) });
    const parts = ceilingParts.slice(0, row.traffic ? 4 : 2);
    const found = Object.fromEntries(parts.map((part) => [part, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const result of sides.values()) {
        if (result.error !== undefined) continue;
        const answer = await result.side.ask({ what: "turn", ...timing });
        if (answer.error !== undefined) result.error = answer.error;
        else if (round > 0) result.times.push(...answer.times);
      }
      for (const part of parts) {
        const request = { what: "turn", part, milliseconds: milliseconds * ceilingShare, clock };
        const { times, error } = await ceiling.ask(request);
        if (error !== undefined) throw new Error(`the ceiling: ${error}`);
        if (round > 0) found[part].push(...times);
      }
    }
    const results = [...sides].map(([name, { side: _, ...result }]) => [name, result]);
    return { sides: Object.fromEntries(results), ceiling: found, flops, facts };
  } finally {
    for (const side of Object.values(fresh)) side.stop();
  }
}

/** Medians, as measures.mjs wants them. */
export function medians({ steps }, { sides, ceiling, flops, facts }, peakFlops) {
  const time = ({ times, error }) => (error === undefined ? median(times) : undefined);
  const { dlmc, strict, ...peers } = sides;
  const known = Object.entries(peers).flatMap(([name, side]) =>
    side.error === undefined ? [[name, time(side)]] : [],
  );
  const part = (name) => ceiling[name] && median(ceiling[name]);
  return {
    time: time(dlmc),
    strict: time(strict),
    peers: new Map(known),
    gflops: flops / time(dlmc) / 1e6,
    peak: peakFlops / part("peak") / 1e6,
    strictPeak: peakFlops / part("strict") / 1e6,
    copy: part("copy"),
    read: part("read"),
    opening: dlmc.opening,
    steps,
    largestFunction: facts.largestFunction,
  };
}
