/** All that `dlmc explain NAME` can tell: the library, the settings of workflow blocks, the words of the language. */
import { constructs } from "./constructs.ts";
import { settingTables, stageSettings, stepSettings } from "./flow/setting-tables.ts";
import { libraryItems } from "./library-catalogue.ts";
import type { LibraryItem } from "./library-catalogue.ts";

/** `part` is the part of the library, "language", or "settings of train". */
export type ExplainedItem = LibraryItem;

/** A name may have several meanings: `optimizer` is a declaration, and a setting of `train`. */
export function explainedItems(): ExplainedItem[] {
  const tables = [...settingTables, stepSettings, stageSettings];
  // blocks that share a setting share its definition
  const settings = new Set(tables.flatMap((table) => table.settings));
  return [
    ...libraryItems(),
    ...constructs.map((construct) => ({ ...construct, part: "language" })),
    ...[...settings].map((setting) => {
      const blocks = tables.flatMap(({ block, settings: own }) => (own.includes(setting) ? [block] : []));
      const { name, signature, later } = setting;
      const doc = later ? `${setting.doc} This version of dlmc does not build it.` : setting.doc;
      return { name, part: `settings of ${blocks.join(", ")}`, signature, doc };
    }),
  ];
}

/** In words, "std.attention", "a setting of train". */
export function placeOf({ part }: ExplainedItem): string {
  if (part === "builtins") return "built in";
  if (part === "language") return "a word of the language";
  return part.startsWith("settings") ? part.replace("settings", "a setting") : `std.${part}`;
}
