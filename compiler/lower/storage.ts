/** Buffers of an entry: inputs, constants, outputs, temporaries; and where each stored value lies. */
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { loopOf, partsOfLoop } from "../ir/loop.ts";
import type { Loop } from "../ir/loop.ts";
import { noOrigin } from "../ir/builder.ts";
import type { Graph, Node, Value } from "../ir/graph.ts";
import type { Buffer } from "../ir/kernel.ts";
import type { Tensor } from "../ir/tensor.ts";
import { affineAdd, affineConstant, affineScale, affineShift } from "../ir/scalar.ts";
import type { Affine } from "../ir/scalar.ts";
import type { Choice } from "./choose-stored.ts";
import { flatIndex, groupAxes } from "./digits.ts";
import { isConstant } from "./probe.ts";
import type { Location } from "./compose.ts";

/** Buffers that entries have in common: weights, states, control, equal constants. */
export interface Shared {
  readonly inputs: Map<string, Buffer>;
  readonly constants: Map<string, Buffer>;
}

export function makeShared(): Shared {
  return { inputs: new Map(), constants: new Map() };
}

export interface Storage {
  locate(value: Value): Location | undefined;
  /** where a stored value is written by a kernel of its own; undefined for a concat, which its parts write */
  destination(value: Value): Location | undefined;
  readonly inputs: readonly { readonly value: Value; readonly buffer: Buffer }[];
  readonly outputs: readonly {
    readonly name: string;
    readonly into: Location;
    /** set where the value lies elsewhere and is copied here */
    readonly copied: Value | undefined;
  }[];
  /** of each loop, for each carry, the place of all its values: its start, then what each step makes of it */
  readonly histories: ReadonlyMap<Node, readonly Location[]>;
}

/** Where the inputs and outputs of a loop's body lie; undefined for an output that another one writes. */
export interface Inside {
  /** steps of loops around, outermost first, whose every value has a place of its own; none where only the last is kept */
  readonly kept: readonly { readonly length: dim.Dim; readonly step: Affine }[];
  readonly inputs: readonly Location[];
  readonly outputs: readonly (Location | undefined)[];
}

/** One element of the first axis of what lies somewhere. */
export function elementAt(whole: Location, first: Affine): Location {
  return {
    buffer: whole.buffer,
    shape: whole.shape,
    place: (index) => (whole.place ? whole.place([first, ...index]) : [first, ...index]),
  };
}

/** Where the sequences of a loop are read in a step, and its yields stored: from the end where it runs in reverse. */
export function positionOf(loop: Loop, step: Affine): Affine {
  if (!loop.reverse) return step;
  return affineAdd(affineConstant(dim.subtract(loop.length, dim.one)), affineScale(step, -1));
}

function constantBuffer(value: Value, shared: Shared): Buffer {
  const source = value.source;
  const tensor = (isNode(source) ? source.attributes["value"] : undefined) as Tensor;
  const key = `${tensor.dtype}[${tensor.shape.join()}]:${Array.from(tensor.data, (n) => (Object.is(n, -0) ? "-0" : n)).join()}`;
  let buffer = shared.constants.get(key);
  if (buffer === undefined) {
    buffer = {
      name: `constant${shared.constants.size}`,
      dtype: value.type.dtype,
      shape: value.type.shape,
      kind: { kind: "constant", value: tensor },
      origin: isNode(source) ? source.origin : noOrigin,
    };
    shared.constants.set(key, buffer);
  }
  return buffer;
}

/** The range of a part along one axis of a whole; `view`: the part's index as an index of the whole's axes. */
export function partOf(
  whole: Location,
  axis: number,
  start: dim.Dim,
  view: (index: readonly Affine[]) => readonly Affine[] = (index) => index,
): Location {
  return {
    buffer: whole.buffer,
    shape: whole.shape,
    place(index) {
      const own = view(index).map((a, k) => (k === axis ? affineShift(a, start) : a));
      return whole.place ? whole.place(own) : own;
    },
  };
}

export function makeStorage(graph: Graph, choice: Choice, shared: Shared, inside?: Inside): Storage {
  const locations = new Map<Value, Location>();
  const plain = (buffer: Buffer): Location => ({ buffer, shape: buffer.shape, place: undefined });

  graph.inputs.forEach((value, i) => inside && locations.set(value, inside.inputs[i]!));
  const inputs = (inside ? [] : graph.inputs).map((value) => {
    if (isNode(value.source)) throw new Error("an input of a graph has no operands");
    const { name, role } = value.source;
    const kept = role === "input" ? undefined : shared.inputs.get(name);
    const buffer: Buffer = kept ?? {
      name,
      dtype: value.type.dtype,
      shape: value.type.shape,
      kind: { kind: "input", role },
      origin: noOrigin,
    };
    if (role !== "input") shared.inputs.set(name, buffer);
    locations.set(value, plain(buffer));
    return { value, buffer };
  });

  const names = new Map<string, number>();
  const unique = (base: string): string => {
    const count = names.get(base) ?? 0;
    names.set(base, count + 1);
    return count === 0 ? base : `${base}_${count + 1}`;
  };
  const bufferFor = (value: Value, kind: Buffer["kind"], name: string): Buffer => ({
    name,
    dtype: value.type.dtype,
    shape: value.type.shape,
    kind,
    origin: isNode(value.source) ? value.source.origin : noOrigin,
  });

  const isCarry = ({ source, result }: Value): boolean =>
    isNode(source) && result < (loopOf(source)?.carries ?? 0);
  /** The place of a new buffer within one step. */
  const perStep = (buffer: Buffer): Location => {
    const kept = inside?.kept ?? [];
    const shape = [...kept.map(({ length }) => length), ...buffer.shape];
    return kept
      .map(({ step }) => step)
      .reduce(elementAt, plain(kept.length === 0 ? buffer : { ...buffer, shape }));
  };

  const outputs = graph.outputs.flatMap(({ name, value }, i) => {
    const into = inside ? inside.outputs[i] : plain(bufferFor(value, { kind: "output" }, unique(name)));
    if (into === undefined) return [];
    const own = isNode(value.source) && !isConstant(value.source) && !locations.has(value) && !isCarry(value);
    if (own) locations.set(value, into);
    return [{ name, into, copied: own ? undefined : value }];
  });

  const histories = new Map<Node, readonly Location[]>();
  for (const node of graph.nodes) {
    const loop = loopOf(node);
    if (loop) histories.set(node, placeLoop(node, loop));
  }

  /** A carry has a place for every step, so that none overwrites what another reads; what steps yield of it lies there too. */
  function placeLoop(node: Node, loop: Loop): readonly Location[] {
    const path = node.origin.path === "" ? "" : `${node.origin.path}.`;
    const { carries } = partsOfLoop(loop, loop.body.inputs);
    const nexts = loop.body.outputs.slice(0, loop.carries).map(({ value }) => value);
    const own = carries.map((carry, k): Location => {
      const shape = [dim.add(loop.length, dim.one), ...carry.type.shape];
      const history: Buffer = {
        name: unique(`${path}carry${k}`),
        dtype: carry.type.dtype,
        shape,
        kind: { kind: "temporary" },
        origin: node.origin,
      };
      const whole = perStep(history);
      locations.set(node.results[k]!, elementAt(whole, affineConstant(loop.length)));
      const start = node.operands[k]!;
      const free =
        isNode(start.source) &&
        !isConstant(start.source) &&
        !loopOf(start.source) &&
        !choice.parts.has(start);
      if (free && !locations.has(start)) locations.set(start, elementAt(whole, affineConstant(0)));
      return whole;
    });
    loop.body.outputs.slice(loop.carries).forEach(({ value }, i) => {
      const result = node.results[loop.carries + i]!;
      const found = carries.indexOf(value);
      const made = nexts.indexOf(value);
      const k = found >= 0 ? found : made;
      if (k < 0 || locations.has(result)) return;
      const history = own[k]!;
      locations.set(result, {
        ...history,
        place: ([position, ...rest]) => {
          const step = positionOf(loop, position!);
          const index = [found >= 0 ? step : affineShift(step, dim.one), ...rest];
          return history.place ? history.place(index) : index;
        },
      });
    });
    return own;
  }

  for (const node of graph.nodes)
    for (const value of node.results) {
      if (isConstant(node)) {
        if (dim.constantOf(dim.product(value.type.shape)) !== 1)
          locations.set(value, plain(constantBuffer(value, shared)));
        continue;
      }
      if (!choice.stored.has(value) || choice.parts.has(value) || locations.has(value)) continue;
      const path = node.origin.path === "" ? "" : `${node.origin.path}.`;
      locations.set(
        value,
        perStep(bufferFor(value, { kind: "temporary" }, unique(`${path}${node.op.name}`))),
      );
    }

  /** A part lies in the range of its whole, which may itself be a part. */
  const locatePart = (value: Value): Location => {
    const known = locations.get(value);
    if (known) return known;
    const part = choice.parts.get(value)!;
    const whole = locatePart(part.whole);
    const groups = part.as && groupAxes(value.type.shape, part.as)!;
    const location = partOf(whole, part.axis, part.start, (index) =>
      groups
        ? groups.map((group) =>
            flatIndex(
              group.map((k) => index[k]!),
              group.map((k) => value.type.shape[k]!),
            ),
          )
        : index,
    );
    locations.set(value, location);
    return location;
  };
  for (const value of choice.parts.keys()) locatePart(value);

  const locate = (value: Value): Location | undefined => {
    const known = locations.get(value);
    if (known) return known;
    // a reshape of what lies in its own whole buffer is another view of that buffer
    if (!isNode(value.source) || !choice.facts.get(value)?.reshape) return undefined;
    const base = locate(value.source.operands[0]!);
    if (base === undefined || base.place !== undefined) return undefined;
    return { buffer: base.buffer, shape: value.type.shape, place: undefined };
  };

  return {
    locate,
    destination: (value) => locations.get(value),
    inputs,
    outputs,
    histories,
  };
}
