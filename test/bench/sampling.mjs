// How calls are timed; sides/pytorch.py does the same in Python.

/** Milliseconds on the clock, or those that this process had the processor. */
export const clocks = {
  wall: () => performance.now(),
  processor() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
};

/** Below this a clock is too coarse: several calls are timed at once. */
const leastSample = 0.5;
const leastSamples = 3;
/** A turn whose calls are very long ends after so many of its times. */
const longest = 4;

/** Milliseconds a call, over about so many milliseconds. */
export async function sample(call, milliseconds, clock) {
  const times = [];
  let count = 1;
  const begin = performance.now();
  for (;;) {
    const start = clock();
    for (let i = 0; i < count; i++) await call();
    const took = clock() - start;
    times.push(took / count);
    if (took < leastSample) count *= 2;
    const passed = performance.now() - begin;
    if (passed >= milliseconds && (times.length >= leastSamples || passed >= longest * milliseconds))
      return times;
  }
}

const openingCalls = 10;

/** The first ten calls, each by itself; fewer where they take longer than so many milliseconds together. */
export async function opening(call, milliseconds, clock) {
  const times = [];
  for (const begin = performance.now(); times.length < openingCalls;) {
    const start = clock();
    await call();
    times.push(clock() - start);
    if (performance.now() - begin > milliseconds) break;
  }
  return times;
}
