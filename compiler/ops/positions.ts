/** Walking over the positions of host tensors in row-major order. */

/** Calls visit for every position of a shape, last axis fastest; the array is the same one each time. */
export function eachPosition(
  shape: readonly number[],
  visit: (position: readonly number[], flat: number) => void,
): void {
  const count = shape.reduce((a, b) => a * b, 1);
  const position = shape.map(() => 0);
  for (let flat = 0; flat < count; flat++) {
    visit(position, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]!++;
      if (position[axis]! < shape[axis]!) break;
      position[axis] = 0;
    }
  }
}

/** As eachPosition, with the sum of position * stride in the place of the position. */
export function eachOffset(
  shape: readonly number[],
  strides: readonly number[],
  visit: (flat: number, offset: number) => void,
): void {
  const count = shape.reduce((a, b) => a * b, 1);
  const position = shape.map(() => 0);
  let offset = 0;
  for (let flat = 0; flat < count; flat++) {
    visit(flat, offset);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]!++;
      offset += strides[axis]!;
      if (position[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
}

/** Row-major number of a position. */
export function flatten(position: readonly number[], shape: readonly number[]): number {
  let flat = 0;
  for (let axis = 0; axis < shape.length; axis++) flat = flat * shape[axis]! + position[axis]!;
  return flat;
}
