// The grammar, as a recovering Chevrotain parser from the tokens of one declaration to a concrete tree.
import { tokenMatcher } from "chevrotain";
import type { CstNode, IRecognitionException, IToken } from "chevrotain";
import type { Chunk } from "./newlines.ts";
import { ExpressionGrammar } from "./parser-expressions.ts";
import type { Rule } from "./parser-expressions.ts";
import * as t from "./tokens.ts";

/** Declarations, statements and settings; rules have the names of the language's grammar. */
class Grammar extends ExpressionGrammar {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

  private readonly callableKeywords = this.oneOf([t.Module, t.Model, t.Fn, t.Op], "keyword");
  private readonly workflowKeywords = this.oneOf([t.Train, t.Tune, t.Evaluate, t.Deploy, t.Check], "keyword");

  // ------------------------------------------------------------ declarations

  readonly edition: Rule = this.RULE("edition", () => {
    this.CONSUME(t.Dlm);
    this.CONSUME(t.Number);
  });

  readonly declaration: Rule = this.RULE("declaration", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.use) },
      { ALT: () => this.SUBRULE(this.let) },
      { ALT: () => this.SUBRULE(this.callable) },
      { ALT: () => this.SUBRULE(this.optimizer) },
      { ALT: () => this.SUBRULE(this.data) },
      { ALT: () => this.SUBRULE(this.workflow) },
    ]);
  });

  readonly use: Rule = this.RULE("use", () => {
    this.CONSUME(t.Use);
    this.OR([{ ALT: () => this.CONSUME(t.String) }, { ALT: () => this.SUBRULE(this.path) }]);
    this.OPTION(() => {
      this.CONSUME(t.OpenRound);
      this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.CONSUME(t.Identifier) });
      this.CONSUME(t.CloseRound);
    });
  });

  readonly let: Rule = this.RULE("let", () => {
    this.CONSUME(t.Let);
    this.CONSUME(t.Identifier);
    this.optionalType();
    this.CONSUME(t.Assign);
    this.SUBRULE(this.expression);
  });

  readonly callable: Rule = this.RULE("callable", () => {
    this.OR(this.callableKeywords);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.parameters);
    this.OPTION(() => this.SUBRULE2(this.parameters));
    this.CONSUME(t.Arrow);
    this.SUBRULE(this.type);
    this.optionalWhere();
    this.SUBRULE(this.body);
  });

  readonly optimizer: Rule = this.RULE("optimizer", () => {
    this.CONSUME(t.Optimizer);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.parameters);
    this.optionalWhere();
    this.SUBRULE(this.body);
  });

  private optionalWhere(): void {
    this.OPTION2(() => {
      this.CONSUME(t.Where);
      this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expression) });
    });
  }

  readonly data: Rule = this.RULE("data", () => {
    this.CONSUME(t.Data);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.From);
    this.SUBRULE(this.postfix);
    this.SUBRULE(this.settings);
  });

  readonly workflow: Rule = this.RULE("workflow", () => {
    this.OR(this.workflowKeywords);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.On);
      this.SUBRULE(this.path);
    });
    this.SUBRULE(this.settings);
  });

  readonly parameters: Rule = this.RULE("parameters", () => {
    this.listInRound(() => this.parameter);
  });

  readonly parameter: Rule = this.RULE("parameter", () => {
    this.CONSUME(t.Identifier);
    this.optionalType();
    this.OPTION2(() => {
      this.CONSUME(t.Assign);
      this.SUBRULE(this.expression);
    });
  });

  // ------------------------------------------------------------ statements

  readonly body: Rule = this.RULE("body", () => {
    this.linesInCurly(() => this.statement);
  });

  readonly statement: Rule = this.RULE("statement", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.weight) },
      { ALT: () => this.SUBRULE(this.state) },
      { ALT: () => this.SUBRULE(this.yield) },
      { ALT: () => this.SUBRULE(this.update) },
      { ALT: () => this.SUBRULE(this.bind) },
      { ALT: () => this.SUBRULE(this.flow) },
    ]);
  });

  readonly weight: Rule = this.RULE("weight", () => {
    this.CONSUME(t.Weight);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
    this.OR([{ ALT: () => this.CONSUME(t.Tilde) }, { ALT: () => this.CONSUME(t.Assign) }]);
    this.SUBRULE(this.expression);
  });

  readonly state: Rule = this.RULE("state", () => {
    this.CONSUME(t.State);
    this.CONSUME(t.Identifier);
    this.optionalType();
    this.CONSUME(t.Assign);
    this.SUBRULE(this.expression);
  });

  readonly yield: Rule = this.RULE("yield", () => {
    this.CONSUME(t.Yield);
    this.SUBRULE(this.expression);
  });

  readonly update: Rule = this.RULE("update", () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Becomes);
    this.SUBRULE(this.expression);
  });

  readonly bind: Rule = this.RULE("bind", () => {
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.CONSUME(t.Identifier) });
    this.CONSUME(t.Assign);
    this.SUBRULE(this.expression);
  });

  readonly flow: Rule = this.RULE("flow", () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier);
      this.CONSUME(t.Colon);
    });
    this.SUBRULE(this.expression);
    this.OPTION2(() => {
      this.CONSUME(t.Accumulates);
      this.SUBRULE2(this.expression, { LABEL: "value" });
    });
  });

  // ------------------------------------------------------------ settings

  readonly settings: Rule = this.RULE("settings", () => {
    this.linesInCurly(() => this.setting);
  });

  readonly setting: Rule = this.RULE("setting", () => {
    this.CONSUME(t.Identifier);
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Assign);
          this.SUBRULE(this.expression);
        },
      },
      { ALT: () => this.SUBRULE(this.settingCall) },
    ]);
  });

  /** `one batch`, the words of a setting */
  readonly count: Rule = this.RULE("count", () => {
    this.CONSUME(t.Identifier);
    this.CONSUME2(t.Identifier, { LABEL: "of" });
  });

  readonly settingCall: Rule = this.RULE("settingCall", () => {
    this.MANY_SEP({
      SEP: t.Comma,
      DEF: () =>
        this.OR([
          {
            GATE: () => this.LA(1).image === "one" && tokenMatcher(this.LA(2), t.Identifier),
            ALT: () => this.SUBRULE(this.count),
          },
          { ALT: () => this.SUBRULE(this.argument) },
        ]),
    });
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
      this.OPTION2(() => {
        this.CONSUME(t.As);
        this.CONSUME(t.Identifier);
      });
    });
    this.OPTION3(() => this.SUBRULE(this.settings));
  });
}

let grammar: Grammar | undefined;

export interface Parsed {
  readonly cst: CstNode | undefined;
  readonly errors: readonly IRecognitionException[];
}

/** Parses one declaration, or the edition line. */
export function parseChunk(chunk: Chunk): Parsed {
  grammar ??= new Grammar();
  grammar.input = [...chunk.tokens];
  const first: IToken | undefined = chunk.tokens[0];
  const cst = first && tokenMatcher(first, t.Dlm) ? grammar.edition() : grammar.declaration();
  return { cst, errors: grammar.errors };
}
