/** Sizes: what is proved, refuted with an example, or neither. */
import { describe, expect, test } from "vitest";
import { createSolver } from "../compiler/check/solver.ts";
import * as dim from "../compiler/ir/dim.ts";

const symbol = dim.symbol;
const n = dim.constant;

describe("equal", () => {
  test("polynomials in any order", () => {
    const solver = createSolver();
    const a = dim.multiply(dim.add(symbol("H"), n(1)), symbol("W"));
    const b = dim.add(symbol("W"), dim.multiply(symbol("W"), symbol("H")));
    expect(solver.equal(a, b).kind).toBe("proved");
  });

  test("numbers that differ differ for all", () => {
    expect(createSolver().equal(n(28), n(14))).toEqual({ kind: "refuted", witness: new Map() });
  });

  test("2 * ceil(H / 2) is not H, for example for H = 7", () => {
    const solver = createSolver();
    const up = dim.multiply(n(2), dim.ceilDivide(symbol("H"), n(2)));
    expect(solver.equal(up, symbol("H"))).toEqual({ kind: "refuted", witness: new Map([["H", 7]]) });
    solver.assume({ kind: "divides", divisor: n(2), of: symbol("H") });
    expect(solver.equal(up, symbol("H")).kind).toBe("proved");
  });

  test("a witness keeps every promise, in the dims that people wrote", () => {
    const solver = createSolver();
    solver.assume({ kind: "divides", divisor: n(4), of: symbol("H") });
    const verdict = solver.equal(symbol("H"), n(8));
    expect(verdict.kind).toBe("refuted");
    if (verdict.kind === "refuted") expect(verdict.witness.get("H")! % 4).toBe(0);
    solver.assume({ kind: "at-most", left: symbol("W"), right: n(3) });
    const other = solver.equal(symbol("W"), n(2));
    if (other.kind === "refuted") expect(other.witness.get("W")).toBeLessThanOrEqual(3);
  });

  test("stated equalities", () => {
    const solver = createSolver();
    solver.assume({ kind: "equal", left: symbol("A"), right: dim.multiply(symbol("B"), n(2)) });
    expect(solver.equal(dim.multiply(symbol("A"), n(3)), dim.multiply(symbol("B"), n(6))).kind).toBe(
      "proved",
    );
  });
});

describe("divides", () => {
  test("heads * (D / heads) is D where heads divides D", () => {
    const solver = createSolver();
    expect(solver.divides(symbol("heads"), symbol("D")).kind).toBe("refuted");
    solver.assume({ kind: "divides", divisor: symbol("heads"), of: symbol("D") });
    expect(solver.divides(symbol("heads"), symbol("D")).kind).toBe("proved");
    const part = solver.quotient(symbol("D"), symbol("heads"));
    expect(solver.equal(dim.multiply(symbol("heads"), part), symbol("D")).kind).toBe("proved");
    expect(solver.show(part)).toBe("D / heads");
    expect(solver.show(dim.multiply(n(3), solver.normalise(symbol("D"))))).toBe("3 · D");
  });

  test("two numbers: the least common multiple", () => {
    const solver = createSolver();
    solver.assume({ kind: "divides", divisor: n(6), of: symbol("D") });
    solver.assume({ kind: "divides", divisor: n(8), of: symbol("D") });
    expect(solver.divides(n(24), symbol("D")).kind).toBe("proved");
    expect(solver.divides(n(48), symbol("D")).kind).toBe("refuted");
  });

  test("a number and a symbol: both promises hold, their product is not promised", () => {
    const solver = createSolver();
    solver.assume({ kind: "divides", divisor: symbol("heads"), of: symbol("D") });
    solver.assume({ kind: "divides", divisor: n(8), of: symbol("D") });
    expect(solver.divides(symbol("heads"), symbol("D")).kind).toBe("proved");
    expect(solver.divides(n(8), symbol("D")).kind).toBe("proved");
    expect(solver.divides(dim.multiply(n(8), symbol("heads")), symbol("D")).kind).not.toBe("proved");
  });
});

describe("at most", () => {
  test("every dim is at least 1", () => {
    const solver = createSolver();
    expect(solver.atMost(n(1), symbol("H")).kind).toBe("proved");
    expect(solver.atMost(n(2), dim.add(symbol("H"), symbol("W"))).kind).toBe("proved");
    expect(solver.atMost(n(3), symbol("H")).kind).toBe("refuted");
  });

  test("promises, and what follows from them", () => {
    const solver = createSolver();
    solver.assume({ kind: "at-most", left: symbol("T"), right: n(256) });
    expect(solver.atMost(symbol("T"), n(256)).kind).toBe("proved");
    expect(solver.atMost(symbol("T"), n(300)).kind).toBe("proved");
    expect(solver.atMost(symbol("T"), n(2)).kind).toBe("refuted");
  });

  test("what was assumed after a mark is forgotten", () => {
    const solver = createSolver();
    const back = solver.mark();
    solver.assume({ kind: "equal", left: symbol("In"), right: symbol("Out") });
    expect(solver.equal(symbol("In"), symbol("Out")).kind).toBe("proved");
    back();
    expect(solver.equal(symbol("In"), symbol("Out")).kind).toBe("refuted");
  });
});
