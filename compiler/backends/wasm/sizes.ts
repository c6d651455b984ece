/** Sizes as wasm code: polynomials over locals or globals that hold the dims. */
import * as dim from "../../ir/dim.ts";
import type { Dim } from "../../ir/dim.ts";
import { InternalError } from "../../ir/internal-error.ts";
import type { Code, Expr } from "./code.ts";

/** Name of the helper that rounds towards minus infinity; divisors are positive. */
export const floorDivideName = "floor_divide";

export type Symbols = ReadonlyMap<string, Expr>;

/** The dims of an entry, each with what holds it. */
export function dimSymbols(dims: readonly string[], holders: readonly Expr[]): Symbols {
  return new Map(dims.map((name, i) => [name, holders[i]!]));
}

/** The value of a size as i32, wrapping like an address. */
export function sizeCode(code: Code, size: Dim, symbols: Symbols): Expr {
  let sum: Expr = code.int(0);
  for (const term of size.terms) {
    let product: Expr | undefined;
    for (const atom of term.atoms) {
      let value: Expr;
      if (atom.kind === "symbol") {
        const symbol = symbols.get(atom.name);
        if (symbol === undefined) throw new InternalError("wasm", `no dim ${atom.name} here`, size.key);
        value = symbol;
      } else
        value = code.call(
          floorDivideName,
          [sizeCode(code, atom.numerator, symbols), sizeCode(code, atom.denominator, symbols)],
          "i32",
        );
      product = product === undefined ? value : code.mul(product, value);
    }
    const coefficient = code.int(term.coefficient);
    sum = code.add(sum, product === undefined ? coefficient : code.mul(product, coefficient));
  }
  return sum;
}

/** a where it is known, else `otherwise`: for choices between kinds of code, never for meaning. */
export function knownOr(size: Dim, otherwise: number): number {
  return dim.constantOf(size) ?? otherwise;
}
