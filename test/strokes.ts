/** Digits as a hand draws them: strokes in a unit square, y downwards, for the page's test. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

const line = (...points: readonly (readonly [x: number, y: number])[]): Point[] =>
  points.map(([x, y]) => ({ x, y }));

/** Part of an ellipse; angles in turns, 0 is right, 0.25 is down. */
function arc(x: number, y: number, width: number, height: number, from: number, to: number): Point[] {
  const steps = 24;
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / steps);
    return { x: x + width * Math.cos(angle), y: y + height * Math.sin(angle) };
  });
}

/** The strokes of each digit, 0 to 9. */
export const digitStrokes: readonly (readonly (readonly Point[])[])[] = [
  [arc(0.5, 0.5, 0.22, 0.34, -0.25, 0.75)],
  [line([0.4, 0.28], [0.54, 0.15], [0.54, 0.85])],
  [[...arc(0.5, 0.34, 0.2, 0.18, 0.5, 1.1), ...line([0.32, 0.84], [0.72, 0.84])]],
  [[...arc(0.47, 0.32, 0.2, 0.16, 0.55, 1.25), ...arc(0.47, 0.67, 0.23, 0.19, -0.25, 0.45)]],
  [line([0.5, 0.15], [0.3, 0.58], [0.72, 0.58]), line([0.62, 0.36], [0.56, 0.88])],
  [[...line([0.68, 0.16], [0.36, 0.16], [0.34, 0.46]), ...arc(0.46, 0.64, 0.22, 0.2, -0.3, 0.42)]],
  [[...line([0.58, 0.14], [0.4, 0.4]), ...arc(0.5, 0.66, 0.19, 0.19, 0.5, 1.5)]],
  [line([0.3, 0.16], [0.7, 0.16], [0.46, 0.86]), line([0.38, 0.5], [0.66, 0.5])],
  [[...arc(0.5, 0.32, 0.17, 0.16, 0.25, 1.25), ...arc(0.5, 0.67, 0.2, 0.19, -0.25, 0.75)]],
  [[...arc(0.5, 0.34, 0.18, 0.18, 0, 1), ...line([0.68, 0.34], [0.6, 0.86])]],
];
