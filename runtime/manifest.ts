/** Checks a manifest that came from a file: every field that the runtime reads has the type it should have. */

/** The path of the first value that is not what it should be; undefined where there is none. */
export type Check = (value: unknown, at: string) => string | undefined;

const is =
  (holds: (value: unknown) => boolean): Check =>
  (value, at) =>
    holds(value) ? undefined : at;

const first = <T>(
  items: readonly T[],
  check: (item: T, i: number) => string | undefined,
): string | undefined => {
  for (let i = 0; i < items.length; i++) {
    const wrong = check(items[i]!, i);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

export const list =
  (item: Check, length?: number): Check =>
  (value, at) =>
    Array.isArray(value) && value.length === (length ?? value.length)
      ? first(value, (each, i) => item(each, `${at}[${i}]`))
      : at;

export const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value, at) =>
    typeof value === "object" && value !== null
      ? first(Object.keys(fields), (name) =>
          fields[name]!((value as Record<string, unknown>)[name], at ? `${at}.${name}` : name),
        )
      : at;

const either =
  (check: Check, other: unknown): Check =>
  (value, at) =>
    value === other ? undefined : check(value, at);

export const text = is((v) => typeof v === "string");
export const flag = is((v) => typeof v === "boolean");
const whole = is(Number.isSafeInteger);
export const count = is((v) => Number.isSafeInteger(v) && (v as number) >= 0);
export const positive = is((v) => Number.isSafeInteger(v) && (v as number) >= 1);
const above0 = is((v) => typeof v === "number" && v > 0);
const hex = is((v) => typeof v === "string" && /^[0-9a-f]{64}$/.test(v));

/** deeper than this, floors in floors, the compiler makes none */
const deepest = 8;

export const polynomial =
  (depth: number): Check =>
  (value, at) =>
    depth > deepest
      ? at
      : list(
          (term, place) =>
            list(
              is(() => true),
              2,
            )(term, place) ??
            whole((term as unknown[])[0], place) ??
            list((factor, where) =>
              typeof factor === "string"
                ? undefined
                : record({ floor: list(polynomial(depth + 1), 2) })(factor, where),
            )((term as unknown[])[1], place),
        )(value, at);

export const oneOf = (...words: readonly string[]): Check => is((v) => words.includes(v as string));
const textRule = record({
  tokens: oneOf("words", "pieces"),
  keep: oneOf("first", "last"),
  pad: oneOf("before", "after"),
});

const tensors = list(
  record({
    name: text,
    dtype: oneOf("f32", "i32", "u8", "bool"),
    shape: list(polynomial(0)),
    doc: text,
    offset: polynomial(0),
    classes: either(list(text), undefined),
    text: either(textRule, undefined),
  }),
);

const parameters = list(
  record({
    path: text,
    dtype: is((v) => v === "f32"),
    shape: list(count),
    offset: count,
    start: either(is(Number.isFinite), undefined),
  }),
);

/** The path of the first field that is wrong; undefined where the value is a `Manifest` of this format. */
export function checkManifest(value: unknown, format: number): string | undefined {
  return record({
    format: is((v) => v === format),
    digest: hex,
    name: text,
    compiler: text,
    hashes: record({ weights: text, program: text }),
    relaxed: flag,
    threads: either(positive, undefined),
    sharedBytes: count,
    weights: parameters,
    states: parameters,
    optimizer: parameters,
    entries: list(
      record({
        name: text,
        export: text,
        dims: list(
          record({
            name: text,
            max: either(positive, null),
            default: positive,
            global: text,
            unit: either(positive, undefined),
          }),
        ),
        promises: either(list(record({ text, size: polynomial(0) })), undefined),
        inputs: tensors,
        outputs: tensors,
        control: tensors,
        rows: flag,
        bytes: polynomial(0),
        update: either(record({ entry: text, every: positive }), undefined),
      }),
    ),
    generate: either(
      record({
        input: text,
        max: positive,
        sample: record({
          kind: is((v) => ["greedy", "temperature", "top_k", "top_p"].includes(v as string)),
          temperature: either(above0, undefined),
          k: either(positive, undefined),
          p: either(above0, undefined),
        }),
      }),
      undefined,
    ),
  })(value, "");
}
