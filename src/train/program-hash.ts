/** A short fingerprint of what a training program computes, for checkpoints and reports. */
import { createHash } from "node:crypto";
import { printGraph } from "../../compiler/ir/print.ts";
import type { ModelGraphs } from "../../compiler/ir/model.ts";

export function programHash(model: ModelGraphs): string {
  const hash = createHash("sha256");
  for (const { graph } of model.entries) hash.update(printGraph(graph).text);
  return hash.digest("hex");
}
