/** What programs may use without declaring it: the library's modules, functions and optimizers, and the builtins. */
import { textOf } from "../../grammar/source.ts";
import { librarySources } from "../library/sources.ts";
import { builtins } from "./builtins/index.ts";
import { libraryScope } from "./prelude.ts";

export interface LibraryItem {
  readonly name: string;
  /** the file of the library it stands in, or `builtins` */
  readonly part: string;
  /** as it is declared: parameters with their defaults, types, what must hold of sizes */
  readonly signature: string;
  readonly doc: string;
}

/** In the order of the files and of their texts. Ops serve the library's own modules and are left out. */
export function libraryItems(): LibraryItem[] {
  const { declarations } = libraryScope();
  const items: LibraryItem[] = [];
  for (const [part, text] of Object.entries(librarySources))
    for (const [, name] of text.matchAll(/^(?:module|fn|optimizer)\s+(\w+)/gm)) {
      const declaration = declarations.get(name!);
      if (!declaration || !("body" in declaration)) continue;
      const { span, body, doc } = declaration;
      const signature = textOf({ ...span, end: body.span.start }).trim();
      items.push({ name: name!, part, signature, doc });
    }
  for (const name of builtins.keys()) {
    const { signature, doc } = builtins.get(name)!;
    items.push({ name, part: "builtins", signature, doc });
  }
  return items;
}
