// CIFAR-10 as arrays: `image` [rows, 32, 32, 3] and `label` [rows], out of pictures that hold one image a row.
import { decode } from "fast-png";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../safetensors.mjs";

const parts = {
  train: { pictures: [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.png`), labels: "train_lables.json" },
  test: { pictures: ["test_batch.png"], labels: "test_lables.json" },
};

/** Writes train.safetensors and test.safetensors into `folder`, where the files of the package lie. */
export function writePictures(folder) {
  for (const [name, { pictures, labels }] of Object.entries(parts)) {
    const image = Buffer.concat(pictures.map((file) => decode(readFileSync(join(folder, file))).data));
    const label = Uint8Array.from(JSON.parse(readFileSync(join(folder, labels), "utf8")));
    writeSafetensors(join(folder, `${name}.safetensors`), {
      image: [[label.length, 32, 32, 3], new Uint8Array(image)],
      label: [[label.length], label],
    });
  }
}
