/** What is wrong with data or weights from outside: a message and the place, never an internal failure. */

export interface DataPlace {
  /** the file as the user named it, relative to the current folder where it lies below it */
  readonly file: string;
  /** line of a text file, row of an array file; from 1 */
  readonly row?: number;
  /** name of a column, an array or a tensor */
  readonly column?: string;
}

export class DataError extends Error {
  readonly place: DataPlace;
  /** the message without its place; lower case, no final stop */
  readonly reason: string;

  constructor(reason: string, place: DataPlace) {
    super(`${placeText(place)}: ${reason}`);
    this.name = "DataError";
    this.reason = reason;
    this.place = place;
  }

  get file(): string {
    return this.place.file;
  }
  get row(): number | undefined {
    return this.place.row;
  }
  get column(): string | undefined {
    return this.place.column;
  }
}

/** `housing.csv:17:income`, as far as it is known. */
export function placeText({ file, row, column }: DataPlace): string {
  return [file, row, column].filter((part) => part !== undefined).join(":");
}
