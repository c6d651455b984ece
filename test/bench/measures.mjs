// What targets are stated in: what each measure is of a row's results, and whether more or less is better.
// A result: { time, strict, copy, read (ms), peers: Map of times, gflops, peak (GFLOP/s), opening, steps, largestFunction };
// a measure that the run cannot tell is undefined.
const wasmPeers = ["onnxruntime-web", "tfjs", "jax-js"];

const toPeer = (peer) => ({
  unit: `x ${peer}`,
  of: ({ time, peers }) => (peers.has(peer) ? peers.get(peer) / time : undefined),
});

/** The best time of a peer on WebAssembly; undefined without any. */
export function bestWasm(peers) {
  const times = wasmPeers.flatMap((peer) => (peers.has(peer) ? [peers.get(peer)] : []));
  return times.length === 0 ? undefined : Math.min(...times);
}

const percent = (value) => (100 * value).toFixed(0);
const ratio = (value) => value.toFixed(2);

export const measures = {
  wasm: {
    unit: "x the best wasm peer",
    of({ time, peers }) {
      const best = bestWasm(peers);
      return best === undefined ? undefined : best / time;
    },
  },
  torch: toPeer("torch"),
  tfjs: toPeer("tfjs"),
  "jax-js": toPeer("jax-js"),
  peak: {
    format: percent,
    unit: "% of the micro-kernel's peak",
    of: ({ gflops, peak }) => gflops / peak,
  },
  copy: {
    format: percent,
    unit: "% of the copy bandwidth",
    of: ({ time, copy }) => copy && copy / time,
  },
  read: {
    format: percent,
    unit: "% of the read bandwidth",
    of: ({ time, read }) => read && read / time,
  },
  step: {
    less: true,
    format: (value) => value.toFixed(0),
    unit: "us a step",
    of: ({ time, steps }) => (1000 * time) / steps,
  },
  strict: {
    less: true,
    unit: "x the relaxed time without relaxed SIMD",
    of: ({ time, strict }) => strict && strict / time,
  },
  "strict against wasm": {
    unit: "x the best wasm peer without relaxed SIMD",
    of({ strict, peers }) {
      const best = bestWasm(peers);
      return strict === undefined || best === undefined ? undefined : best / strict;
    },
  },
  second: {
    less: true,
    unit: "x the median for the second call",
    of: ({ time, opening }) => opening[1] && opening[1] / time,
  },
  tenth: {
    less: true,
    unit: "x the median for the tenth call",
    of: ({ time, opening }) => opening[9] && opening[9] / time,
  },
  function: {
    less: true,
    format: String,
    unit: "bytes of the largest function",
    of: ({ largestFunction }) => largestFunction,
  },
};

/** What every row has to hold besides its own targets. */
const ofEveryRow = { strict: 1.45, "strict against wasm": 1, second: 3, tenth: 1.2, function: 65536 };

/** Of each target of a row: what was found, and whether it holds; those that the run cannot tell are left out. */
export function verdictsOf({ name, atLeast, aim }, result) {
  return Object.entries({ ...ofEveryRow, ...atLeast }).flatMap(([measure, target]) => {
    const { of, format = ratio, unit, less } = measures[measure];
    const value = of(result);
    if (value === undefined) return [];
    const reaches = (limit) => (less ? value <= limit : value >= limit);
    const wanted = aim[measure];
    return [
      {
        name,
        measure,
        value,
        target,
        holds: reaches(target),
        ...(wanted !== undefined && { aim: wanted, reachesAim: reaches(wanted) }),
        found: `${format(value)} ${unit}`,
        limit: `${less ? "at most" : "at least"} ${format(target)}`,
      },
    ];
  });
}
