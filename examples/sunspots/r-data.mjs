// Reads one object of an R package's lazy-load database (Rdata.rdx and Rdata.rdb): plain vectors, lists and their names.
// Format: "R Internals", chapter 1.8, Serialization Formats; the index is gzipped, an object is raw LZMA2 behind the
// four bytes of its unpacked length and a "Z". Needs the program xz, which dpkg needs too.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** The values of the object called `name`: `path` is that of both files without their ending. */
export function readRObject(path, name) {
  const { variables } = readSerialized(gunzipSync(readFileSync(`${path}.rdx`)));
  if (!(name in variables)) throw new Error(`${path}.rdx has no ${name}`);
  const [offset, length] = variables[name];
  const packed = readFileSync(`${path}.rdb`).subarray(offset, offset + length);
  if (packed[4] !== "Z".charCodeAt(0)) throw new Error(`${name} of ${path}.rdb is not packed as LZMA2`);
  const unpacked = spawnSync("xz", ["--decompress", "--stdout", "--format=raw", "--lzma2=preset=6"], {
    input: packed.subarray(5),
    maxBuffer: 2 ** 26,
  });
  if (unpacked.status !== 0) throw new Error(`xz failed: ${unpacked.error?.message ?? unpacked.stderr}`);
  return readSerialized(unpacked.stdout);
}

/** An array for a vector, an object for a list with names. */
function readSerialized(bytes) {
  let at = 0;
  const integer = () => bytes.readInt32BE((at += 4) - 4);
  const real = () => bytes.readDoubleBE((at += 8) - 8);
  const text = (length) => bytes.toString("latin1", at, (at += Math.max(0, length)));
  const symbols = [];

  function item() {
    const flags = integer();
    const [type, hasAttributes, hasTag] = [flags & 0xff, flags & 0x200, flags & 0x400];
    const vector = (read) => {
      const values = Array.from({ length: integer() }, read);
      const { names } = hasAttributes ? item() : {};
      return names ? Object.fromEntries(names.map((each, i) => [each, values[i]])) : values;
    };
    switch (type) {
      case 1: // a symbol
        return symbols[symbols.push(item()) - 1];
      case 2: {
        // a pair of a list: tag, value, rest
        if (hasAttributes) item();
        const tag = hasTag ? item() : "";
        const value = item();
        return { [tag]: value, ...item() };
      }
      case 9: // one string
        return text(integer());
      case 10: // truth values
      case 13:
        return vector(integer);
      case 14:
        return vector(real);
      case 16: // strings
      case 19: // a list
        return vector(item);
      case 254: // the empty list
        return {};
      case 255: // a symbol that was there before
        return symbols[(flags >> 8) - 1];
      default:
        throw new Error(`R's type ${type} is not read here`);
    }
  }

  if (text(2) !== "X\n") throw new Error("this is not R's XDR serialization");
  const version = integer();
  at += 8; // the versions of R that wrote it and can read it
  if (version === 3) text(integer());
  return item();
}
