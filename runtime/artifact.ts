/**
 * The artifact: a .wasm whose first custom section, `dlm`, is this manifest as JSON.
 * The one runtime file that the compiler may import. Reads nothing past the end of what it is given.
 */

export const formatNumber = 1;

/** sum of coefficient * product of dims; dims stand for their maximum fixed at load. `[[4096, []], [256, ["B"]]]` */
export type Polynomial = readonly (readonly [coefficient: number, dims: readonly string[]])[];

export type ElementType = "f32" | "f16" | "i32" | "u8" | "bool";

export interface TensorEntry {
  readonly name: string;
  readonly dtype: ElementType;
  /** each axis a polynomial in the call's dims */
  readonly shape: readonly Polynomial[];
  /** bytes from the start of memory, in the dims' maxima */
  readonly offset: Polynomial;
  /** names of the classes of the last axis (an output) or of the integers (an input) */
  readonly classes?: readonly string[];
  /** what an app gives: rows of a table become one tensor each; documentation for the .d.ts */
  readonly doc?: string;
}

export interface Entry {
  /** infer, measure, train, init, prepare */
  readonly name: string;
  /** wasm export; takes the sizes of `dims` as i32 in this order, returns nothing */
  readonly export: string;
  readonly dims: readonly {
    readonly name: string;
    /** planned maximum; null: fixed at load by `max` */
    readonly max: number | null;
    /** used at load when the caller gives none */
    readonly default: number;
    /** exported mutable global that holds the maximum; the addresses of the entry are computed from it */
    readonly global: string;
  }[];
  readonly inputs: readonly TensorEntry[];
  readonly outputs: readonly TensorEntry[];
  /** scalars written before each call: seed, iteration, step, epoch, ... */
  readonly control: readonly TensorEntry[];
  /** true where rows of the leading dim do not depend on each other, so that larger inputs run in chunks */
  readonly rows: boolean;
  /** bytes of memory needed, shared region included */
  readonly bytes: Polynomial;
}

export interface ParameterEntry {
  readonly path: string;
  readonly dtype: ElementType;
  readonly shape: readonly number[];
  /** bytes from the start of memory */
  readonly offset: number;
}

export interface Manifest {
  readonly format: number;
  /** the model's name */
  readonly name: string;
  /** version of the compiler that wrote it */
  readonly compiler: string;
  readonly hashes: {
    /** of the paths, dtypes and shapes of weights and states: compared when weights are loaded */
    readonly weights: string;
    readonly program: string;
  };
  /** SHA-256, hex, of the module's bytes with this field's value replaced by 64 zeros */
  readonly digest: string;
  readonly relaxed: boolean;
  readonly sharedBytes: number;
  readonly weights: readonly ParameterEntry[];
  /** running statistics, fitted numbers; saved with the weights */
  readonly states: readonly ParameterEntry[];
  /** optimizer state and averages; saved in checkpoints only */
  readonly optimizer: readonly ParameterEntry[];
  readonly entries: readonly Entry[];
}
