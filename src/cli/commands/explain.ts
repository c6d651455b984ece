/** `dlmc explain CODE`: the long explanation of a diagnostic; `dlmc explain NAME`: what the library or the language has by this name. */
import { Command } from "commander";
import { catalogue as diagnostics } from "../../../compiler/check/catalogue.ts";
import { explainedItems, placeOf, type ExplainedItem } from "../../../compiler/check/explained.ts";
import { nearest } from "../../../compiler/check/names.ts";
import { wrap } from "../../../grammar/text-width.ts";
import { Failure } from "../../failure.ts";
import { printJson, terminal, type Terminal } from "../terminal.ts";

interface Options {
  readonly json?: boolean;
  readonly color?: boolean;
}

export function explainCommand(): Command {
  return new Command("explain")
    .argument(
      "[code]",
      "such as DLM0201; or a name of the library, a setting or a word, such as Conv, stop or scan; without it, all codes are listed",
    )
    .option("--json", "JSON lines")
    .action((code: string | undefined, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      const items = code === undefined ? [] : explainedItems();
      const meant = items.filter(({ name }) => name === code);
      if (meant.length > 0) {
        meant.forEach((item, i) => {
          if (i > 0 && options.json !== true) t.print();
          if (options.json === true) printJson(item);
          else printItem(t, item);
        });
        return;
      }
      const wanted = code
        ?.toUpperCase()
        .replace(/^(?:DLM)?(\d{1,4})$/, (_all, digits: string) => `DLM${digits.padStart(4, "0")}`);
      const found = wanted === undefined ? diagnostics : diagnostics.filter((d) => d.code === wanted);
      if (found.length === 0) {
        const isCode = /^(?:dlm)?\d+$/i.test(code!);
        const names = isCode ? diagnostics.map((d) => d.code) : items.map(({ name }) => name);
        const near = nearest(isCode ? wanted! : code!, names);
        throw new Failure(
          isCode
            ? `there is no diagnostic ${code}`
            : `there is no ${code} in the library or the language, and no diagnostic`,
          { help: near.length === 0 ? "dlmc explain lists all codes" : `did you mean ${near.join(" or ")}?` },
        );
      }
      if (options.json === true) {
        for (const { code: each, severity, explanation, example } of found)
          printJson({ code: each, severity, explanation, example });
        return;
      }
      if (wanted === undefined)
        for (const each of found)
          wrap(firstSentence(each.explanation), t.width - codeWidth).forEach((line, i) =>
            t.print(i === 0 ? `${t.paint.bold(each.code)}  ${line}` : " ".repeat(codeWidth) + line),
          );
      else for (const each of found) print(t, each);
    });
}

/** How it is written or declared, and below it what it means. */
function printItem(t: Terminal, item: ExplainedItem): void {
  const { signature, doc } = item;
  for (const line of signature.split("\n")) t.print(t.paint.cyan(line));
  t.print();
  for (const paragraph of doc.trim().split(/\n\s*\n/)) {
    for (const line of wrap(paragraph.trim().replaceAll(/\s+/g, " "), t.width)) t.print(line);
    t.print();
  }
  t.print(t.paint.dim(placeOf(item)));
}

/** Width of a code and what is between it and its text. */
const codeWidth = "DLM0000  ".length;

/** Up to the first stop that is not part of code, without it. */
function firstSentence(markdown: string): string {
  const text = markdown.trim().replaceAll(/\s+/g, " ");
  return (/^(?:`[^`]*`|[^`])*?(?=\.(?:\s|$))/.exec(text)?.[0] ?? text).trim();
}

function print(t: Terminal, kind: (typeof diagnostics)[number]): void {
  const block = (title: string, program: string): void => {
    t.print(t.paint.bold(title));
    t.print();
    for (const line of program.trim().split("\n")) t.print(t.paint.cyan(`    ${line}`.trimEnd()));
    t.print();
  };
  t.print(t.paint.bold(`${kind.severity}[${kind.code}]`));
  t.print();
  t.print(kind.explanation.trim());
  t.print();
  block("Wrong", kind.example.wrong);
  block("Mended", kind.example.right);
}
