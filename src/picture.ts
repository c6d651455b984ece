/** Arrays as a picture: many images side by side in one sheet, written as PNG. */
import { encode } from "fast-png";

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
  return encode({ width, height, channels, depth: 8, data: pixels });
}
