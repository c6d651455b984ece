// Phrases that several diagnostics share.

/** `heads = 5, D = 12` */
export function showWitness(witness: ReadonlyMap<string, number>): string {
  return [...witness]
    .filter(([name]) => !name.includes("#"))
    .map(([name, value]) => `${name} = ${value}`)
    .join(", ");
}

/** "a", "a and b", "a, b and c" */
export function listed(items: readonly string[]): string {
  return items.length <= 1
    ? (items[0] ?? "")
    : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
}
