/** The names that an expression speaks of, wherever they stand in it. */

interface SyntaxNode {
  readonly kind?: unknown;
  readonly text?: unknown;
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null;
}

export function namesIn(root: unknown): ReadonlySet<string> {
  const names = new Set<string>();
  const walk = [root];
  while (walk.length > 0) {
    const node = walk.pop();
    if (Array.isArray(node)) walk.push(...(node as unknown[]));
    if (!isNode(node) || Array.isArray(node)) continue;
    if (node.kind === "name" && typeof node.text === "string") names.add(node.text);
    for (const [key, value] of Object.entries(node)) if (key !== "span") walk.push(value);
  }
  return names;
}
