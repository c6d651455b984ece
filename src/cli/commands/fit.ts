/** `dlmc fit`: reads the data, fits preprocessing, pins what was found in `dlm.lock`. */
import { Command } from "commander";
import { fitTrain } from "../../fit.ts";
import { shownPath } from "../../files.ts";
import { openWithData } from "../../program.ts";
import { number } from "../../text.ts";
import { printJson, table, terminal } from "../terminal.ts";

interface Options {
  readonly json?: boolean;
  readonly color?: boolean;
}

export function fitCommand(): Command {
  return new Command("fit")
    .argument("<file>", "program")
    .option("--json", "one JSON line")
    .action((file: string, _: Options, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const t = terminal(options);
      if (options.json !== true) t.status("reading the data");
      const program = openWithData(file, { refit: true });
      const fitted = program.checked.flow.trains.flatMap((train) =>
        program.datasets.has(train.plan.data) ? [fitTrain(program, train)] : [],
      );
      const changed = program.lock.save();
      if (options.json === true) {
        printJson({
          lock: shownPath(program.lock.path),
          changed,
          data: Object.fromEntries(
            [...program.datasets.values()].map(({ plan, splits, dropped }) => [
              plan.name,
              {
                train: splits.train.length,
                valid: splits.valid.length,
                test: splits.test.length,
                dropped,
              },
            ]),
          ),
          fitted: Object.fromEntries(fitted.map(({ name, states }) => [name, [...states.keys()]])),
        });
        return;
      }
      for (const { plan, splits, columns, dropped } of program.datasets.values()) {
        t.print(t.paint.bold(plan.name));
        const rows = [
          ["train", splits.train] as const,
          ["valid", splits.valid] as const,
          ["test", splits.test] as const,
        ];
        for (const line of table(
          rows.map(([name, ids]) => [`  ${name}`, number(ids.length), "rows"]),
          [1],
        ))
          t.print(line);
        if (dropped.missing > 0) t.print(`  ${number(dropped.missing)} rows with missing values left out`);
        if (dropped.duplicates > 0) t.print(`  ${number(dropped.duplicates)} duplicates left out`);
        for (const { plan: column, classes } of columns.values())
          if (classes && column.role === "target" && plan.text) continue;
          else if (classes) {
            const isTokens = plan.text !== undefined || column.text !== undefined;
            const shown = classes.slice(0, 6).map((name) => (plan.text ? JSON.stringify(name) : name));
            t.print(
              `  ${column.name}: ${number(classes.length)} ${isTokens ? "tokens" : "categories"}, ${shown.join(", ")}${classes.length > 6 ? ", …" : ""}`,
            );
          }
      }
      for (const { name, states } of fitted)
        for (const [path, values] of states)
          t.print(
            `  ${name}.${path}: ${[...values].slice(0, 6).map(number).join(", ")}${values.length > 6 ? ", …" : ""}`,
          );
      t.print(`${changed ? "wrote" : "unchanged:"} ${shownPath(program.lock.path)}`);
    });
}
