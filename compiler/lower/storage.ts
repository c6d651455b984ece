/** Buffers of an entry: inputs, constants, outputs, temporaries; and where each stored value lies. */
import * as dim from "../ir/dim.ts";
import { isNode } from "../ir/graph.ts";
import { noOrigin } from "../ir/builder.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { Buffer } from "../ir/kernel.ts";
import type { Tensor } from "../ir/tensor.ts";
import { affineShift } from "../ir/scalar.ts";
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
    readonly buffer: Buffer;
    /** set where the value lies elsewhere and is copied here */
    readonly copied: Value | undefined;
  }[];
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

export function makeStorage(graph: Graph, choice: Choice, shared: Shared): Storage {
  const locations = new Map<Value, Location>();
  const plain = (buffer: Buffer): Location => ({ buffer, shape: buffer.shape, place: undefined });

  const inputs = graph.inputs.map((value) => {
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

  const outputs = graph.outputs.map(({ name, value }) => {
    const buffer = bufferFor(value, { kind: "output" }, unique(name));
    const own = isNode(value.source) && !isConstant(value.source) && !locations.has(value);
    if (own) locations.set(value, plain(buffer));
    return { name, buffer, copied: own ? undefined : value };
  });

  for (const node of graph.nodes)
    for (const value of node.results) {
      if (isConstant(node)) {
        if (dim.constantOf(dim.product(value.type.shape)) !== 1)
          locations.set(value, plain(constantBuffer(value, shared)));
        continue;
      }
      if (!choice.stored.has(value) || choice.parts.has(value) || locations.has(value)) continue;
      const path = node.origin.path === "" ? "" : `${node.origin.path}.`;
      locations.set(value, plain(bufferFor(value, { kind: "temporary" }, unique(`${path}${node.op.name}`))));
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
  };
}
