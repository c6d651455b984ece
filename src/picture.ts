/** Arrays as a picture: many images side by side in one sheet, written as PNG (ISO/IEC 15948) without any package. */
import { crc32, deflateSync } from "node:zlib";

export interface Sheet {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: red, green, blue */
  readonly channels: 1 | 3;
  /** rows from the top, channels last */
  readonly pixels: Uint8Array;
}

/** Black cells between the images. */
const gap = 2;

/** Images [count, height, width, channels] in about as many rows as columns; `low` is black, `high` full. */
export function sheetOf(
  values: ArrayLike<number>,
  [count, height, width, channels]: readonly [number, number, number, 1 | 3],
  [low, high]: readonly [number, number],
): Sheet {
  const columns = Math.ceil(Math.sqrt(count));
  const rows = Math.ceil(count / columns);
  const [across, down] = [columns * (width + gap) - gap, rows * (height + gap) - gap];
  const pixels = new Uint8Array(across * down * channels);
  for (let image = 0; image < count; image++) {
    const top = Math.floor(image / columns) * (height + gap);
    const left = (image % columns) * (width + gap);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width * channels; x++) {
        const value = values[(image * height + y) * width * channels + x]!;
        const level = (255 * (value - low)) / (high - low);
        pixels[((top + y) * across + left) * channels + x] = Math.min(255, Math.max(0, Math.round(level)));
      }
  }
  return { width: across, height: down, channels, pixels };
}

export function encodePng({ width, height, channels, pixels }: Sheet): Uint8Array {
  const row = width * channels;
  // each row begins with its filter: 0, none
  const lines = Buffer.alloc(height * (row + 1));
  for (let y = 0; y < height; y++) lines.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, channels === 1 ? 0 : 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(lines, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(kind: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(kind, "ascii"), data]);
  const bytes = Buffer.alloc(body.length + 8);
  bytes.writeUInt32BE(data.length, 0);
  bytes.set(body, 4);
  bytes.writeUInt32BE(crc32(body), body.length + 4);
  return bytes;
}
