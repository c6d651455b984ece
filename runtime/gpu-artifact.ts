/** Reads a .wgsl.json: the manifest, and the code beside it, each field checked. */
import { damaged, digestKey, formatNumber, type GpuCode, type Manifest } from "./artifact.ts";
import { fail } from "./error.ts";
import {
  type Check,
  checkManifest,
  count,
  flag,
  list,
  oneOf,
  polynomial,
  positive,
  record,
  text,
} from "./manifest.ts";

const step: Check = (value, at) =>
  typeof value === "number"
    ? count(value, at)
    : record({ count: polynomial(0), member: count, steps: list(step) })(value, at);

const group: Check = (value, at) =>
  list(() => undefined, 2)(value, at) ??
  polynomial(0)((value as unknown[])[0], at) ??
  positive((value as unknown[])[1], at);

const code = record({
  kernels: list(
    record({
      name: text,
      layer: text,
      code: text,
      ranges: list(
        record({
          memory: oneOf("shared", "arena"),
          offset: polynomial(0),
          bytes: polynomial(0),
          write: flag,
        }),
      ),
      groups: list(group),
    }),
  ),
  entries: list(record({ name: text, members: count, steps: list(step) })),
  constants: list(record({ offset: count, base64: text })),
});

/** A step that names a kernel that is not there. */
function missing({ kernels, entries }: GpuCode): boolean {
  const bad = (steps: GpuCode["entries"][number]["steps"]): boolean =>
    steps.some((each) => (typeof each === "number" ? each >= kernels.length : bad(each.steps)));
  return entries.some(({ steps }) => bad(steps));
}

export interface GpuArtifact {
  readonly manifest: Manifest;
  readonly code: GpuCode;
  /** offset of the digest's 64 digits */
  readonly digestAt: number;
}

/** Throws DlmError. */
export function readGpuArtifact(bytes: Uint8Array): GpuArtifact {
  let json: string;
  let value: unknown;
  try {
    json = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    value = JSON.parse(json);
  } catch (cause) {
    damaged("it is no JSON text", cause);
  }
  const format = (value as { format?: unknown } | null)?.format;
  if (typeof format === "number" && format > formatNumber)
    fail("format", `a newer compiler wrote this artifact: its format is ${format}, not ${formatNumber}`);
  const wrong = checkManifest(value, formatNumber) ?? code((value as { gpu: unknown }).gpu, "gpu");
  if (wrong !== undefined) damaged(`${wrong} in its manifest`);
  const { gpu, ...manifest } = value as Manifest & { gpu: GpuCode };
  const digestAt = json.indexOf(digestKey + manifest.digest) + digestKey.length;
  if (digestAt < digestKey.length || json.length !== bytes.length) damaged("the manifest is not as written");
  if (missing(gpu)) damaged("a step without its kernel");
  return { manifest, code: gpu, digestAt };
}
