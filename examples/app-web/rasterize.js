// From strokes of a pen to the 8 x 8 image that the digits model was trained on: counts of ink in blocks of 4 x 4
// pixels of a 32 x 32 bitmap, which the digit fills from top to bottom, like the images of the UCI data.

/** @typedef {{ x: number, y: number }} Point */

const size = 32;
/** thickness of the pen, and the columns left free on each side, in pixels of the bitmap, as in the data */
const pen = 5;
const margin = 4;

/**
 * @param {readonly (readonly Point[])[]} strokes in any unit
 * @returns {Uint8Array} 64 numbers from 0 to 16, row by row
 */
export function rasterize(strokes) {
  const points = strokes.flat();
  const counts = new Uint8Array(64);
  if (points.length === 0) return counts;
  const left = Math.min(...points.map((p) => p.x));
  const top = Math.min(...points.map((p) => p.y));
  const width = Math.max(...points.map((p) => p.x)) - left;
  const height = Math.max(...points.map((p) => p.y)) - top;
  // the height is filled, and the width shrinks to what is free; a line that lies flat stays flat
  const across = (size - 2 * margin - pen) / Math.max(width, 1e-6);
  const down = Math.min((size - pen) / Math.max(height, 1e-6), 3 * across);
  const scaleX = Math.min(across, down);
  const x = (/** @type {Point} */ p) => size / 2 + (p.x - left - width / 2) * scaleX;
  const y = (/** @type {Point} */ p) => size / 2 + (p.y - top - height / 2) * down;

  const canvas = new OffscreenCanvas(size, size);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (
    canvas.getContext("2d", { willReadFrequently: true })
  );
  context.lineWidth = pen;
  context.lineCap = context.lineJoin = "round";
  for (const stroke of strokes) {
    context.beginPath();
    for (const point of stroke) context.lineTo(x(point), y(point));
    // a stroke of one point is a dot
    if (stroke.length === 1 && stroke[0]) context.lineTo(x(stroke[0]) + 0.01, y(stroke[0]));
    context.stroke();
  }
  const { data } = context.getImageData(0, 0, size, size);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      if (data[4 * (size * row + column) + 3] > 127) counts[8 * (row >> 2) + (column >> 2)] += 1;
  return counts;
}
