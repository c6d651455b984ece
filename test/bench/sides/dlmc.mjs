// The product as an app has it: an artifact, loaded by the runtime that ships.
const built = (path) => import(new URL(`../../../.build/${path}`, import.meta.url).href);

export async function start() {
  const { load } = await built("runtime/index.js");
  const { readManifest } = await built("runtime/artifact.js");
  const { openDevice } = await built("runtime/wasm-device.js");

  /** An entry on what lies in its memory already, without copies in and out. */
  async function resident({ artifact, inputs, entry, sizes, max }) {
    const { manifest } = readManifest(artifact);
    const device = await openDevice(artifact, manifest, max);
    for (const before of ["init", "prepare"]) device.entries.get(before)?.call([]);
    const code = device.entries.get(entry);
    for (const slot of code.inputs) slot.view(inputs[slot.name].length).set(inputs[slot.name]);
    const values = code.dims.map(({ name }) => sizes[name]);
    return () => code.call(values);
  }

  return {
    async open(row) {
      if (row.resident) return resident(row);
      const { artifact, inputs, entry, sizes, max, control } = row;
      const model = await load(artifact, { max, seed: 1 });
      Object.assign(model.control, control);
      const { dims } = model.manifest.entries.find(({ name }) => name === entry);
      const options = dims.length > 1 ? { dims: sizes } : {};
      if (entry === "train") return () => model.step(inputs, options);
      let into;
      return async () => {
        into = await model.call(entry, inputs, { ...options, into });
      };
    },
  };
}
