// Learns by playing: proximal policy optimization (Schulman et al. 2017) with generalized advantages (2016). The loss and its
// optimizer are in cartpole.dlm; what is here plays, counts how it turned out, and gives the batches to `step`.
import { begin, push, uniform } from "./cart-pole.mjs";

const carts = 16;
const length = 128;
const passes = 10;
const batch = 256;
/** what a step later counts, and how far advantages look beyond the critic's word */
const discount = 0.99;
const trace = 0.95;
/** a step that the pole stands; the critic counts in hundreds */
const reward = 0.01;

/** `rounds` times: every cart plays so many steps, and the model learns from all of them. `report` is told of each round, with the mean length of the last 20 games. */
export async function learn(model, { rounds, seed, report = () => {} }) {
  const next = uniform(seed);
  const episodes = Array.from({ length: carts }, () => begin(next));
  const rows = carts * length;
  const seen = new Float32Array(4 * rows);
  const action = new Int32Array(rows);
  const [chance, advantage, gain, value, after] = Array.from({ length: 5 }, () => new Float32Array(rows));
  const isOver = new Uint8Array(rows);
  const ended = [];
  for (let round = 1; round <= rounds; round++) {
    for (let t = 0; t < length; t++) {
      const at = t * carts;
      seen.set(
        episodes.flatMap((episode) => episode.seen),
        4 * at,
      );
      const found = await model.run({ seen: seen.subarray(4 * at, 4 * (at + carts)) });
      value.set(found.value, at);
      for (let i = 0; i < carts; i++) {
        const row = at + i;
        action[row] = next() < found.chances[2 * i] ? 0 : 1;
        chance[row] = Math.log(found.chances[2 * i + action[row]]);
        push(episodes[i], action[row]);
      }
      // what is to be expected of the places that the pushes led to: nothing where the pole fell
      const then = await model.run({ seen: episodes.flatMap((episode) => episode.seen) });
      for (let i = 0; i < carts; i++) {
        after[at + i] = episodes[i].fell ? 0 : then.value[i];
        isOver[at + i] = episodes[i].over;
        if (!episodes[i].over) continue;
        ended.push(episodes[i].steps);
        episodes[i] = begin(next);
      }
    }
    for (let row = rows - 1; row >= 0; row--) {
      const later = row + carts < rows && !isOver[row] ? advantage[row + carts] : 0;
      advantage[row] = reward + discount * after[row] - value[row] + discount * trace * later;
      gain[row] = advantage[row] + value[row];
    }
    standardize(advantage);
    let loss = 0;
    for (let pass = 0; pass < passes; pass++) {
      const order = shuffled(rows, next);
      for (let from = 0; from < rows; from += batch) {
        const ids = order.slice(from, from + batch);
        const of = (column) => Float32Array.from(ids, (row) => column[row]);
        const result = await model.step({
          seen: Float32Array.from({ length: 4 * batch }, (_, k) => seen[4 * ids[k >> 2] + (k & 3)]),
          action: Int32Array.from(ids, (row) => action[row]),
          chance: of(chance),
          advantage: of(advantage),
          gain: of(gain),
        });
        loss += (result.loss * batch) / (passes * rows);
      }
    }
    const latest = ended.slice(-20);
    report({ round, steps: round * rows, loss, mean: latest.reduce((a, b) => a + b, 0) / latest.length });
  }
}

/** Steps of whole episodes from a seed of their own, each time with the likelier push. */
export async function play(model, { count, seed }) {
  const next = uniform(seed);
  const episodes = Array.from({ length: count }, () => begin(next));
  for (let on = episodes; on.length > 0; on = on.filter(({ over }) => !over)) {
    const { chances } = await model.run({ seen: on.flatMap((episode) => episode.seen) });
    on.forEach((episode, i) => push(episode, chances[2 * i] >= chances[2 * i + 1] ? 0 : 1));
  }
  return episodes.map(({ steps }) => steps);
}

function standardize(values) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
  for (let i = 0; i < values.length; i++) values[i] = (values[i] - mean) / (deviation + 1e-8);
}

/** Fisher and Yates. */
function shuffled(count, next) {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
