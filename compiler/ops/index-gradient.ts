/**
 * The cotangent of one operand of `index`, as dense affine `index` nodes.
 *
 * The operand is read at p = c + sum of C_k * a_k on each axis. One loop of each axis is solved for: with |C| = 1 it is
 * an affine function of p and the other loops. With |C| = s > 1 the axis is split as p = s * h + r, and class r sums only
 * the other loops that leave remainder r: a loop a = t + P * j, with P = s / gcd(C_a, s), for the t that fit. Every
 * class is dense in h, so a strided gradient costs what the forward pass costs; the classes are put together by concat
 * on a new axis, merge and slice. Where the classes are exactly the positions of one more loop (windows side by side),
 * that loop is r itself, and no classes are needed. Where a solved loop could leave its range, or no loop can be solved for, a factor of
 * ones is read at a position that is inside exactly where the equation holds.
 */
import * as dim from "../ir/dim.ts";
import * as build from "./build.ts";
import { axisMap, reach } from "./index-maps.ts";
import type { GraphBuilder } from "../ir/builder.ts";
import type { Dim } from "../ir/dim.ts";
import type { Value } from "../ir/graph.ts";
import type { AxisMap, IndexMaps } from "./index-maps.ts";

/** constant + sum of coefficient * variable; no zero coefficients. */
interface Expression {
  readonly constant: Dim;
  readonly terms: ReadonlyMap<number, number>;
}

interface Variable {
  readonly size: Dim;
  /** of a result axis, of a summed loop, or a position h along an axis of the operand */
  readonly kind: "result" | "summed" | "position";
}

interface State {
  readonly variables: readonly Variable[];
  /** summed or result variables that are still loops, in order */
  readonly alive: readonly number[];
  /** what each loop of the forward node is now */
  readonly loops: readonly Expression[];
  /** the position variable of each axis done so far */
  readonly positions: readonly number[];
  /** 0 <= expression < size must hold */
  readonly constraints: readonly { readonly expression: Expression; readonly size: Dim }[];
}

function add(a: Expression, b: Expression, factor = 1): Expression {
  const terms = new Map(a.terms);
  for (const [variable, coefficient] of b.terms) {
    const sum = (terms.get(variable) ?? 0) + factor * coefficient;
    if (sum === 0) terms.delete(variable);
    else terms.set(variable, sum);
  }
  return { constant: dim.add(a.constant, dim.multiply(b.constant, dim.constant(factor))), terms };
}

function plain(constant: number, ...terms: readonly (readonly [number, number])[]): Expression {
  return { constant: dim.constant(constant), terms: new Map(terms.filter(([, c]) => c !== 0)) };
}

function substitute(e: Expression, values: ReadonlyMap<number, Expression>): Expression {
  let result: Expression = { constant: e.constant, terms: new Map() };
  for (const [variable, coefficient] of e.terms)
    result = add(result, values.get(variable) ?? plain(0, [variable, 1]), coefficient);
  return result;
}

function throughMap(map: AxisMap, loops: readonly Expression[]): Expression {
  return map.coefficients.reduce<Expression>(
    (sum, coefficient, loop) => (coefficient === 0 ? sum : add(sum, loops[loop]!, coefficient)),
    { constant: map.constant, terms: new Map() },
  );
}

function replace(state: State, values: ReadonlyMap<number, Expression>, more: Partial<State>): State {
  return {
    ...state,
    loops: state.loops.map((e) => substitute(e, values)),
    constraints: state.constraints.map(({ expression, size }) => ({
      expression: substitute(expression, values),
      size,
    })),
    alive: state.alive.filter((variable) => !values.has(variable)),
    ...more,
  };
}

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
const modulo = (a: number, b: number): number => ((a % b) + b) % b;

/** The loop to solve an equation for: a result axis before a summed one, then the largest. */
function chooseSolved(state: State, equation: Expression): number | undefined {
  const simple = [...equation.terms.keys()].every((v) => state.variables[v]!.kind !== "position");
  const dividable = simple && dim.constantOf(equation.constant) !== undefined;
  const rank = (v: number): [number, number] => {
    const { kind, size } = state.variables[v]!;
    return [kind === "result" ? 1 : 0, dim.constantOf(size) ?? Infinity];
  };
  let best: number | undefined;
  for (const [v, coefficient] of equation.terms) {
    if (state.variables[v]!.kind === "position" || (Math.abs(coefficient) > 1 && !dividable)) continue;
    if (best === undefined) best = v;
    const [kind, size] = rank(v);
    const [bestKind, bestSize] = rank(best);
    if (kind > bestKind || (kind === bestKind && size > bestSize)) best = v;
  }
  return best;
}

/** All ways to give each other loop of an equation a remainder. */
function remainders(
  state: State,
  others: readonly (readonly [variable: number, coefficient: number])[],
  stride: number,
): {
  readonly sum: number;
  readonly values: ReadonlyMap<number, Expression>;
  readonly added: readonly Variable[];
}[] {
  let all: { sum: number; values: Map<number, Expression>; added: Variable[] }[] = [
    { sum: 0, values: new Map(), added: [] },
  ];
  for (const [variable, coefficient] of others) {
    const period = stride / gcd(coefficient, stride);
    if (period === 1) continue;
    const { size, kind } = state.variables[variable]!;
    all = all.flatMap(({ sum, values, added }) =>
      Array.from({ length: period }, (_, t) => t).flatMap((t) => {
        const count = dim.ceilDivide(dim.subtract(size, dim.constant(t)), dim.constant(period));
        const known = dim.constantOf(count);
        if (known !== undefined && known <= 0) return [];
        const next = state.variables.length + added.length;
        const value = known === 1 ? plain(t) : plain(t, [next, period]);
        return [
          {
            sum: sum + coefficient * t,
            values: new Map([...values, [variable, value]]),
            added: known === 1 ? added : [...added, { size: count, kind }],
          },
        ];
      }),
    );
  }
  return all;
}

interface Task {
  readonly b: GraphBuilder;
  readonly forward: IndexMaps;
  readonly operands: readonly Value[];
  readonly which: number;
  readonly shape: readonly Dim[];
  /** where the operand is read, one map an axis */
  readonly maps: readonly AxisMap[];
  readonly ct: Value;
}

/** The cotangent with the axes from `axis` on whole, and the position variables of `state` before them. */
function solve(task: Task, axis: number, state: State): Value {
  const { b, shape } = task;
  if (axis === shape.length) return leaf(task, state);
  const size = shape[axis]!;
  const equation = throughMap(task.maps[axis]!, state.loops);
  const solved = chooseSolved(state, equation);
  const position = state.variables.length;
  const positions = [...state.positions, position];
  const withPosition = (count: Dim): readonly Variable[] => [
    ...state.variables,
    { size: count, kind: "position" },
  ];
  if (solved === undefined) {
    const expression = add(equation, plain(0, [position, 1]), -1);
    const constraints = [...state.constraints, { expression, size: dim.one }];
    return solve(task, axis + 1, { ...state, variables: withPosition(size), positions, constraints });
  }
  const coefficient = equation.terms.get(solved)!;
  const stride = Math.abs(coefficient);
  const sign = Math.sign(coefficient);
  const rest = add(equation, plain(0, [solved, 1]), -coefficient);
  if (stride === 1) {
    const value = substitute(
      { constant: dim.zero, terms: new Map([[solved, sign]]) },
      new Map([[solved, add(plain(0, [position, 1]), rest, -1)]]),
    );
    return solve(
      task,
      axis + 1,
      keepInRange(task, state, solved, value, {
        variables: withPosition(size),
        positions,
      }),
    );
  }
  const start = dim.constantOf(rest.constant)!;
  // Where the parts of the operand's axis begin and end in what is built: outer axes may be two positions each.
  const at = state.positions.length;
  const cut = (whole: Value): Value => {
    const merged = build.merge(b, whole, at, 2);
    return dim.equal(merged.type.shape[at]!, size) ? merged : build.slice(b, merged, at, dim.zero, size);
  };
  const count = dim.ceilDivide(size, dim.constant(stride));
  const [within] = rest.terms.keys();
  const sideBySide =
    sign > 0 &&
    rest.terms.size === 1 &&
    rest.terms.get(within!) === 1 &&
    dim.constantOf(state.variables[within!]!.size) === stride &&
    start % stride === 0;
  if (sideBySide) {
    const variables: readonly Variable[] = [
      ...withPosition(count),
      { size: dim.constant(stride), kind: "position" },
    ];
    const both = replace(state, new Map([[within!, plain(0, [position + 1, 1])]]), {
      variables,
      positions: [...positions, position + 1],
    });
    const value = plain(-start / stride, [position, 1]);
    return cut(solve(task, axis + 1, keepInRange(task, both, solved, value, {})));
  }
  const classes = new Map<number, Value>();
  const base: State = { ...state, variables: withPosition(count), positions };
  for (const { sum, values, added } of remainders(base, [...rest.terms], stride)) {
    const remainder = modulo(start + sum, stride);
    const variables = [...base.variables, ...added];
    const split = replace(base, values, { variables });
    const alive = [...split.alive, ...added.map((_, i) => base.variables.length + i)].sort((x, y) => x - y);
    // C v = s h + r - rest, and s divides both sides
    const total = add(plain(remainder, [position, stride]), substitute(rest, values), -1);
    const value: Expression = {
      constant: dim.constant((sign * dim.constantOf(total.constant)!) / stride),
      terms: new Map([...total.terms].map(([v, c]) => [v, (sign * c) / stride])),
    };
    const part = solve(task, axis + 1, keepInRange(task, { ...split, alive }, solved, value, {}));
    const before = classes.get(remainder);
    classes.set(remainder, before ? build.add(b, before, part) : part);
  }
  const partShape = [...positions.map((v) => base.variables[v]!.size), ...shape.slice(axis + 1)];
  const parts = Array.from({ length: stride }, (_, r) => {
    const part = classes.get(r) ?? build.full(b, 0, partShape);
    return build.split(b, part, at, [count, dim.one]);
  });
  return cut(build.concat(b, parts, at + 1));
}

/** Puts `value` in the place of a variable, and makes sure that it counts only within the variable's range. */
function keepInRange(
  task: Task,
  state: State,
  solved: number,
  value: Expression,
  more: Partial<State>,
): State {
  const { size, kind } = state.variables[solved]!;
  const next = replace(state, new Map([[solved, value]]), more);
  if (kind === "result" || inRange(next, value, size)) return next;
  // another operand that is read at this very loop is 0 outside it
  const guarded = task.operands.some(
    (operand, m) =>
      m !== task.which &&
      task.forward.maps[m]!.some((map, axis) => {
        const read = throughMap(map, state.loops);
        return isVariable(read, solved) && dim.equal(operand.type.shape[axis]!, size);
      }),
  );
  if (guarded) return next;
  return { ...next, constraints: [...next.constraints, { expression: value, size }] };
}

function isVariable(e: Expression, variable: number): boolean {
  return dim.equal(e.constant, dim.zero) && e.terms.size === 1 && e.terms.get(variable) === 1;
}

function inRange(state: State, e: Expression, size: Dim): boolean {
  return [...e.terms.keys()].some((v) => isVariable(e, v) && dim.equal(state.variables[v]!.size, size));
}

/** One class: positions are the axes of the result, all that is still a loop is summed over. */
function leaf(task: Task, state: State): Value {
  const { b, forward, operands, which, ct } = task;
  const single = state.alive.filter((v) => dim.constantOf(state.variables[v]!.size) === 1);
  const { loops, constraints, alive } = replace(state, new Map(single.map((v) => [v, plain(0)])), {});
  const order = [...state.positions, ...alive];
  const toMap = (e: Expression): AxisMap =>
    axisMap(
      order.length,
      [...e.terms].map(([v, c]) => [order.indexOf(v), c] as const),
      e.constant,
    );
  const factors: Value[] = [ct];
  const maps: AxisMap[][] = [loops.slice(0, forward.result).map(toMap)];
  operands.forEach((operand, m) => {
    if (m === which) return;
    factors.push(operand);
    maps.push(forward.maps[m]!.map((map) => toMap(throughMap(map, loops))));
  });
  for (const { expression, size } of constraints) {
    factors.push(build.full(b, 1, [size]));
    maps.push([toMap(expression)]);
  }
  return build.index(b, factors, {
    axes: order.map((v) => state.variables[v]!.size),
    result: state.positions.length,
    maps,
  });
}

/**
 * The cotangent of operand `which` of index(operands), given that of its result. Of the operand itself only the type
 * is used, so it may be any value of that type.
 */
export function transposeIndex(
  b: GraphBuilder,
  forward: IndexMaps,
  operands: readonly Value[],
  which: number,
  ct: Value,
): Value {
  const { shape } = operands[which]!.type;
  const maps = forward.maps[which]!;
  // A stride with a start that is not known: solved for positions that begin at 0, and moved into place by a view.
  const moved = maps.map(
    (map) => dim.constantOf(map.constant) === undefined && map.coefficients.some((c) => Math.abs(c) > 1),
  );
  const below = maps.map((map) => reach(map, forward.axes, -1));
  const task: Task = {
    b,
    forward,
    operands,
    which,
    ct,
    shape: shape.map((size, i) => (moved[i] ? dim.add(reach(maps[i]!, forward.axes), dim.one) : size)),
    maps: maps.map((map, i) => (moved[i] ? { ...map, constant: below[i]! } : map)),
  };
  const variables = forward.axes.map((size, loop): Variable => ({
    size,
    kind: loop < forward.result ? "result" : "summed",
  }));
  const whole = solve(task, 0, {
    variables,
    alive: variables.map((_, v) => v),
    loops: variables.map((_, v) => plain(0, [v, 1])),
    positions: [],
    constraints: [],
  });
  if (!moved.includes(true)) return whole;
  return build.index(b, [whole], {
    axes: shape,
    result: shape.length,
    maps: [
      shape.map((_, i) =>
        axisMap(shape.length, [[i, 1]], moved[i] ? dim.subtract(below[i]!, maps[i]!.constant) : 0),
      ),
    ],
  });
}
