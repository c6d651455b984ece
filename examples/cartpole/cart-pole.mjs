// A pole on a cart, pushed to the left or right fifty times a second: Barto, Sutton, Anderson (1983), with the constants,
// the start and the end of CartPole-v1 of Gym. Lengths in metres, masses in kilograms, angles in radians.

const gravity = 9.8;
const cartMass = 1;
const poleMass = 0.1;
const halfLength = 0.5;
const force = 10;
const interval = 0.02;
const farthest = 2.4;
const steepest = (12 * Math.PI) / 180;
export const longest = 500;

/** Numbers in [0, 1), the same for the same seed: Mulberry32. */
export function uniform(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A new episode: `seen` is place, speed, angle and turning speed, each within 0.05 of 0; `next` draws numbers. */
export function begin(next) {
  return { seen: Array.from({ length: 4 }, () => 0.1 * next() - 0.05), steps: 0, fell: false, over: false };
}

/** One push, 0 to the left and 1 to the right, and 0.02 seconds (Euler's method). The episode is changed. */
export function push(episode, action) {
  const [place, speed, angle, turning] = episode.seen;
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const mass = cartMass + poleMass;
  const pull = ((action === 1 ? force : -force) + poleMass * halfLength * turning ** 2 * sine) / mass;
  const turn = (gravity * sine - cosine * pull) / (halfLength * (4 / 3 - (poleMass * cosine ** 2) / mass));
  const acceleration = pull - (poleMass * halfLength * turn * cosine) / mass;
  episode.seen = [
    place + interval * speed,
    speed + interval * acceleration,
    angle + interval * turning,
    turning + interval * turn,
  ];
  episode.steps++;
  episode.fell = Math.abs(episode.seen[0]) > farthest || Math.abs(episode.seen[2]) > steepest;
  episode.over = episode.fell || episode.steps >= longest;
}
