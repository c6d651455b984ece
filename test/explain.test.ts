/** `dlmc explain`: every setting, word and name of the library has a text, and the list of codes is whole. */
import { describe, expect, test } from "vitest";
import { explainedItems } from "../compiler/check/explained.ts";
import { settingTables } from "../compiler/check/flow/setting-tables.ts";
import { tokenTypes } from "../grammar/tokens.ts";
import { dlmc } from "./support/command-line.ts";

const run = (args: string): ReturnType<typeof dlmc> => dlmc(args.split(" "), { cwd: "." });

describe("explain, of the language", () => {
  const items = explainedItems();
  test("every setting, every reserved word and every declaration has a text", () => {
    const known = new Set(items.map(({ name }) => name));
    for (const { settings: own } of settingTables) for (const { name } of own) expect(known).toContain(name);
    const words = tokenTypes.flatMap(({ PATTERN }) => (typeof PATTERN === "string" ? PATTERN : []));
    for (const word of words.filter((each) => /^[a-z]+$/.test(each) && each !== "true" && each !== "false"))
      expect(known).toContain(word);
    for (const { doc, signature } of items)
      expect(`${signature}${doc}`.length).toBeGreaterThan(signature.length);
    for (const { part, doc } of items)
      if (part === "language" || part.startsWith("settings")) expect(doc).toMatch(/\.$/);
  });

  test("a name of several meanings is told with all of them; the list of codes ends no line in a sentence's middle", async () => {
    const [optimizer, list] = await Promise.all([run("explain optimizer"), run("explain")]);
    expect(optimizer.out).toMatch(/a word of the language\n[^]*\na setting of train, step, stage\n$/);
    expect(list.out).toMatch(
      /^DLM0103 {2}A module is a recipe: it sees its parameters and nothing else of its file/m,
    );
    expect(list.out).toMatch(/^DLM0501 {2}`cross_entropy` and `kl` take logits/m);
  });
});
