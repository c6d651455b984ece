/** What a program leaves to defaults: arguments of modules and functions, settings of workflow blocks. For `dlmc show --full`. */
import type { CallableDeclaration, OptimizerDeclaration, Settings } from "../grammar/ast.ts";
import { textOf, type Span } from "../grammar/source.ts";
import type { FileScope } from "../compiler/check/names.ts";
import type {
  ColumnPlan,
  DataPlan,
  DeployInput,
  DeployPlan,
  EvaluatePlan,
  PartPlan,
  SplitPart,
  SplitPlan,
  RowTextPlan,
  TextPlan,
  TrainPlan,
} from "../compiler/check/flow/plans.ts";
import type { Program } from "./program.ts";
import { number } from "./text.ts";
import { ruleText } from "../compiler/check/flow/freeze.ts";

// ---------------------------------------------------------------- arguments

export interface CallDefaults {
  /** as written: `Conv(16, 3)` */
  readonly text: string;
  /** `stride = 1` */
  readonly defaults: readonly string[];
}

interface SyntaxNode {
  readonly kind?: unknown;
  readonly span?: unknown;
  readonly [key: string]: unknown;
}

function isRecord(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null;
}

function isSpan(value: unknown): value is Span {
  return isRecord(value) && "source" in value && typeof value["start"] === "number";
}

/** Every configurable thing that is used below a node, with what its uses do not say; each text once. */
export function callDefaults(program: Program, scope: FileScope, root: unknown): CallDefaults[] {
  const found = new Map<string, CallDefaults>();
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const each of node) walk(each);
      return;
    }
    if (!isRecord(node) || isSpan(node)) return;
    const { kind, span } = node;
    if (kind === "call" && isRecord(node["callee"]) && node["callee"].kind === "name" && isSpan(span)) {
      const given = node["arguments"] as readonly { readonly name: { readonly text: string } | undefined }[];
      add(String(node["callee"]["text"]), span, given);
      walk(node["arguments"]);
      return;
    }
    if (kind === "name" && isSpan(span)) add(String(node["text"]), span, []);
    for (const [key, value] of Object.entries(node)) if (key !== "span") walk(value);
  };
  const add = (
    name: string,
    span: Span,
    given: readonly { readonly name: { readonly text: string } | undefined }[],
  ): void => {
    const declaration = configurable(program, scope, name);
    if (!declaration) return;
    const positional = given.filter((argument) => argument.name === undefined).length;
    const defaults = declaration.configuration.flatMap((parameter, i) =>
      i < positional ||
      parameter.default === undefined ||
      given.some((g) => g.name?.text === parameter.name.text)
        ? []
        : [`${parameter.name.text} = ${textOf(parameter.default.span)}`],
    );
    const text = textOf(span).replace(/\s+/g, " ");
    if (defaults.length > 0 && !found.has(text)) found.set(text, { text, defaults });
  };
  walk(root);
  return [...found.values()];
}

function configurable(
  { checked: { session } }: Program,
  scope: FileScope,
  name: string,
): CallableDeclaration | OptimizerDeclaration | undefined {
  const declared =
    scope.declarations.get(name) ??
    scope.used.get(name)?.scope.declarations.get(name) ??
    session.library.declarations.get(name);
  return declared && "configuration" in declared ? declared : undefined;
}

// ---------------------------------------------------------------- blocks

export interface SettingLine {
  readonly name: string;
  readonly value: string;
  /** it is not in the program */
  readonly default: boolean;
}

export interface BlockSettings {
  /** `train Digit` */
  readonly title: string;
  readonly settings: readonly SettingLine[];
}

type Values = readonly (readonly [name: string, value: string])[];

/** Every block of the file with all its settings, in the order of the file. */
export function blockSettings({ checked: { scope, flow } }: Program): BlockSettings[] {
  const { data, train, evaluate, deploy } = flow.plans;
  const titled: readonly (readonly [plan: { readonly span: Span }, title: string, values: Values])[] = [
    ...data.map((plan) => [plan, `data ${plan.name}`, dataValues(plan)] as const),
    ...train.map((plan) => [plan, `train ${plan.name}`, trainValues(plan, data)] as const),
    ...evaluate.map((plan) => [plan, `evaluate ${plan.name}`, evaluateValues(plan)] as const),
    ...deploy.map((plan) => [plan, `deploy ${plan.name}`, deployValues(plan)] as const),
  ];
  return titled
    .toSorted(([a], [b]) => a.span.start - b.span.start)
    .map(([plan, title, values]) => {
      const written = writtenIn(settingsAt(scope, plan.span));
      return {
        title,
        settings: values.map(([name, value]) => ({
          name,
          value,
          default: !written.has(name) && !always.has(name),
        })),
      };
    });
}

/** Parts of the head of a block. */
const always: ReadonlySet<string> = new Set(["from", "on"]);

function settingsAt(scope: FileScope | undefined, span: Span): Settings | undefined {
  for (const declaration of scope?.file.declarations ?? [])
    if ("settings" in declaration && declaration.name.span.start === span.start) return declaration.settings;
  return undefined;
}

/** Also named arguments count: `batch 32, last = drop` writes `last`. */
function writtenIn(settings: Settings | undefined): Set<string> {
  const names = new Set<string>();
  for (const setting of settings?.settings ?? []) {
    if (setting.kind === "hole") continue;
    names.add(setting.name.text);
    if (setting.kind !== "call") continue;
    for (const { name } of setting.arguments) if (name) names.add(`${setting.name.text}.${name.text}`);
    const [first] = setting.arguments;
    if (setting.settings && first?.value.kind === "name")
      for (const inner of writtenIn(setting.settings)) names.add(`${first.value.text}.${inner}`);
  }
  return names;
}

function partText(part: SplitPart | undefined): string {
  if (part === undefined) return "none";
  if (part.kind === "fraction") return `${number(100 * part.value)} %`;
  return part.kind === "count" ? number(part.value) : part.kind;
}

function columnText({ name, kind, dtype, shape, classes }: ColumnPlan): string {
  if (kind === "category") return `${name} : category of ${classes?.size ?? "?"}`;
  if (kind === "text") return `${name} : text`;
  return kind === "number" ? name : `${name} : ${dtype}[${shape.join(", ")}]`;
}

function dataValues(plan: DataPlan): Values {
  return plan.text ? textValues(plan, plan.text) : rowValues(plan);
}

function textValues({ reader, split }: DataPlan, { tokenizer, window, target }: TextPlan): Values {
  return [
    ["from", `text(${[reader.path, ...reader.also].map((path) => JSON.stringify(path)).join(", ")})`],
    ["tokenize", tokenizerText(tokenizer)],
    ["window", String(window)],
    ["window.target", target ?? "none"],
    ["split", split ? splitText(split) : "all in train"],
  ];
}

function tokenizerText(tokenizer: RowTextPlan["tokenizer"]): string {
  return tokenizer.kind === "chars" ? "chars" : `${tokenizer.kind}(${tokenizer.size})`;
}

/** One rule holds for all texts of a block. */
function rowTextValues(columns: readonly ColumnPlan[]): Values {
  const column = columns.find(({ text }) => text);
  if (!column?.text) return [];
  const { tokenizer, keep, pad } = column.text;
  return [
    ["tokenize", tokenizerText(tokenizer)],
    ["window", String(column.shape[0])],
    ["window.keep", keep],
    ["window.pad", pad],
  ];
}

function splitText({ parts }: SplitPlan): string {
  return (["train", "valid", "test"] as const)
    .map((name) => `${name} = ${partText(parts[name] ?? (name === "train" ? { kind: "rest" } : undefined))}`)
    .join(", ");
}

function rowValues({ reader, columns, drop, fill, split, augment }: DataPlan): Values {
  const of = (role: ColumnPlan["role"]): string =>
    columns
      .filter((column) => column.role === role)
      .map(columnText)
      .join(", ") || "none";
  const given = Object.entries(reader.given).map(([split, path]) => `${split} = ${JSON.stringify(path)}`);
  const dropped = (["missing", "duplicates"] as const).filter((what) => drop[what]);
  const filled = Object.entries(fill).map(
    ([name, rule]) => `${name} = ${rule.with === "value" ? rule.value : rule.with}`,
  );
  const source = `${reader.kind}(${[JSON.stringify(reader.path), ...given].join(", ")})`;
  const declared: Values = [
    ["from", reader.kind === "app" ? "app" : source],
    ["input", of("input")],
    ["target", of("target")],
    ...rowTextValues(columns),
  ];
  if (reader.kind === "app") return declared;
  return [
    ...declared,
    ["drop", dropped.join(", ") || "nothing"],
    ["fill", filled.join(", ") || "nothing"],
    ["split", split ? splitText(split) : "as the source gives it, else all in train"],
    ...(split
      ? ([
          ["split.seed", String(split.seed)],
          ["split.shuffle", String(split.shuffle)],
        ] as const)
      : []),
    ["augment", augment.map(({ kind, column }) => `${kind} ${column}`).join(", ") || "nothing"],
  ];
}

function trainValues(plan: TrainPlan, data: readonly DataPlan[]): Values {
  const { stop, plateau } = plan;
  const isApp = data.some(({ key, reader }) => key === plan.data && reader.kind === "app");
  if (isApp)
    return [
      ["on", plan.data.replace(/^.*#/, "")],
      ...plan.parts.flatMap(partValues),
      ["batch", String(plan.batch)],
    ];
  return [
    ["on", `${plan.data.replace(/^.*#/, "")}.${plan.split}`],
    ...plan.parts.flatMap(partValues),
    ["sample", plan.sample ? `${plan.sample.text}, every = ${plan.sample.every} * epoch` : "nothing"],
    ["average", plan.average === undefined ? "none" : `ema(${plan.average})`],
    ["batch", String(plan.batch)],
    ["batch.last", plan.last],
    ["accumulate", String(plan.accumulate)],
    ["precision", plan.precision],
    ["epochs", plan.epochs === Number.MAX_SAFE_INTEGER ? "as many as the steps need" : String(plan.epochs)],
    ["steps", plan.steps === undefined ? "all of the epochs" : String(plan.steps)],
    ["seed", String(plan.seed)],
    ["shuffle", String(plan.shuffle)],
    ["stop", stop ? `early, watch = ${stop.watch.text}` : "after the last epoch"],
    ...(stop ? ([["stop.patience", String(stop.patience)]] as const) : []),
    [
      "plateau",
      plateau
        ? `watch = ${plateau.watch.text}, factor = ${plateau.factor}, patience = ${plateau.patience}, least = ${plateau.least}`
        : "the rate does not depend on measured values",
    ],
    ["keep", plan.keep ? `best, by = ${plan.keep.text}` : "last"],
  ];
}

/** Of a step or stage, with its name before each: `Critic.loss`. */
function partValues({ name, loss, optimizer, penalty, clip, stage, frozen }: PartPlan): Values {
  const part = name ?? stage?.name;
  const of = (setting: string): string => (part === undefined ? setting : `${part}.${setting}`);
  return [
    [of("loss"), loss.text],
    [of("optimizer"), optimizer.text],
    [of("penalty"), `l1(${penalty.l1}), l2(${penalty.l2})`],
    [of("clip"), clip === undefined ? "not clipped" : String(clip)],
    [of("freeze"), frozen.map(ruleText).join(", ") || "nothing"],
    ...(stage
      ? ([
          [of("epochs"), String(stage.epochs)],
          [of("stop"), stage.stop ? `early, watch = ${stage.stop.watch.text}` : "after its last epoch"],
        ] as const)
      : []),
  ];
}

function evaluateValues(plan: EvaluatePlan): Values {
  return [
    ["on", `${plan.data.replace(/^.*#/, "")}.${plan.split}`],
    ["target", plan.target ?? "none"],
    ["metrics", plan.metrics.map(({ text }) => text).join(", ") || "none"],
    [
      "report",
      plan.reports.map((each) => (each.kind === "by" ? `by = ${each.column}` : each.kind)).join(", ") ||
        "none",
    ],
    ["require", plan.requires.map(({ text }) => text).join(", ") || "nothing"],
  ];
}

function namedText({ name, expression }: DeployInput): string {
  return `${name} = ${textOf(expression.span).replace(/\s+/g, " ")}`;
}

function deployValues(plan: DeployPlan): Values {
  return [
    ["target", plan.targets.join(", ")],
    ["weights", plan.weights],
    ["input", plan.inputs.map(namedText).join(", ") || "those of the model"],
    ["output", plan.outputs.map(namedText).join(", ") || "those of the model"],
  ];
}
