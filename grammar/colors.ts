/** Terminal colours as a function of one switch: the grammar asks nothing of its surroundings. */

export type Paint = (text: string) => string;

/** SGR codes that begin and end a style (ECMA-48, 8.3.117). */
const codes = {
  bold: [1, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
} as const;

export type Colors = Readonly<Record<keyof typeof codes, Paint>>;

function paints(on: boolean, [begin, end]: readonly [number, number]): Paint {
  return on ? (text) => `\u001b[${begin}m${text}\u001b[${end}m` : (text) => text;
}

export function createColors(on: boolean): Colors {
  return {
    bold: paints(on, codes.bold),
    red: paints(on, codes.red),
    green: paints(on, codes.green),
    yellow: paints(on, codes.yellow),
    blue: paints(on, codes.blue),
    cyan: paints(on, codes.cyan),
  };
}
