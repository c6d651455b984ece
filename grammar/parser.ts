// The grammar, as a recovering Chevrotain parser from the tokens of one declaration to a concrete tree.
import { CstParser, tokenMatcher } from "chevrotain";
import type {
  CstNode,
  IParserErrorMessageProvider,
  IRecognitionException,
  IToken,
  ParserMethod,
  TokenType,
} from "chevrotain";
import type { Chunk } from "./newlines.ts";
import * as t from "./tokens.ts";

/**
 * Carries only what the exception itself does not know, the expected token's name; syntax-error.ts makes the
 * words. No text of the parser library gets past here.
 */
const expectedOnly: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => expected.name,
  buildNotAllInputParsedMessage: () => "end",
  buildNoViableAltMessage: () => "",
  buildEarlyExitMessage: () => "",
};

/** newlines.ts has paired them: inserting or deleting one more would only move the damage. */
const brackets: ReadonlySet<TokenType> = new Set([
  t.OpenRound,
  t.CloseRound,
  t.OpenSquare,
  t.CloseSquare,
  t.OpenCurly,
  t.CloseCurly,
]);

type Rule = ParserMethod<[], CstNode>;

/**
 * LL(2). Operators are read as flat lists; build-ast.ts knows their precedence. Children that the tree must tell
 * apart have a LABEL.
 */
class Grammar extends CstParser {
  constructor() {
    super([...t.tokenTypes], {
      recoveryEnabled: true,
      nodeLocationTracking: "full",
      maxLookahead: 2,
      errorMessageProvider: expectedOnly,
      skipValidations: true,
    });
    this.performSelfAnalysis();
  }

  protected override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    if (type === t.CloseCurly) return this.LA(1).tokenType !== t.Newline && isNaN(this.LA(1).startOffset);
    return !brackets.has(type) || type === t.OpenCurly;
  }

  protected override canTokenTypeBeDeletedInRecovery(type: TokenType): boolean {
    const doomed = this.LA(1).tokenType;
    return type !== t.Newline && !brackets.has(doomed) && doomed !== t.Newline;
  }

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
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.CONSUME(t.Assign);
    this.SUBRULE(this.expression);
  });

  readonly callable: Rule = this.RULE("callable", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Module, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Model, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Fn, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Op, { LABEL: "keyword" }) },
    ]);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.parameters);
    this.OPTION(() => this.SUBRULE2(this.parameters));
    this.CONSUME(t.Arrow);
    this.SUBRULE(this.type);
    this.OPTION2(() => {
      this.CONSUME(t.Where);
      this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.expression) });
    });
    this.SUBRULE(this.body);
  });

  readonly optimizer: Rule = this.RULE("optimizer", () => {
    this.CONSUME(t.Optimizer);
    this.CONSUME(t.Identifier);
    this.SUBRULE(this.parameters);
    this.SUBRULE(this.body);
  });

  readonly data: Rule = this.RULE("data", () => {
    this.CONSUME(t.Data);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.From);
    this.SUBRULE(this.postfix);
    this.SUBRULE(this.settings);
  });

  readonly workflow: Rule = this.RULE("workflow", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Train, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Tune, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Evaluate, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Deploy, { LABEL: "keyword" }) },
      { ALT: () => this.CONSUME(t.Check, { LABEL: "keyword" }) },
    ]);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.On);
      this.SUBRULE(this.path);
    });
    this.SUBRULE(this.settings);
  });

  readonly path: Rule = this.RULE("path", () => {
    this.AT_LEAST_ONE_SEP({ SEP: t.Dot, DEF: () => this.CONSUME(t.Identifier) });
  });

  readonly parameters: Rule = this.RULE("parameters", () => {
    this.CONSUME(t.OpenRound);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.parameter) });
    this.CONSUME(t.CloseRound);
  });

  readonly parameter: Rule = this.RULE("parameter", () => {
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.OPTION2(() => {
      this.CONSUME(t.Assign);
      this.SUBRULE(this.expression);
    });
  });

  // ------------------------------------------------------------ types

  readonly type: Rule = this.RULE("type", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.recordType) },
      { ALT: () => this.SUBRULE(this.bracket) },
      { ALT: () => this.SUBRULE(this.namedType) },
    ]);
  });

  readonly recordType: Rule = this.RULE("recordType", () => {
    this.CONSUME(t.OpenRound);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.recordField) });
    this.CONSUME(t.CloseRound);
  });

  readonly recordField: Rule = this.RULE("recordField", () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Colon);
    this.SUBRULE(this.type);
  });

  readonly namedType: Rule = this.RULE("namedType", () => {
    this.SUBRULE(this.path);
    this.OPTION(() => {
      this.CONSUME(t.Less);
      this.OPTION2(() => {
        this.CONSUME(t.Identifier);
        this.CONSUME(t.Assign);
      });
      this.SUBRULE(this.sum);
      this.CONSUME(t.Greater);
    });
    this.OPTION3(() => this.SUBRULE(this.callArguments));
    this.OPTION4(() => this.SUBRULE(this.bracket));
  });

  readonly bracket: Rule = this.RULE("bracket", () => {
    this.CONSUME(t.OpenSquare);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.item) });
    this.CONSUME(t.CloseSquare);
  });

  readonly item: Rule = this.RULE("item", () => {
    this.OR([
      {
        ALT: () => {
          this.CONSUME(t.Dots);
          this.OPTION(() => this.CONSUME(t.Identifier));
        },
      },
      { ALT: () => this.SUBRULE(this.argument) },
    ]);
  });

  // ------------------------------------------------------------ statements

  readonly body: Rule = this.RULE("body", () => {
    this.CONSUME(t.OpenCurly);
    this.MANY_SEP({ SEP: t.Newline, DEF: () => this.SUBRULE(this.statement) });
    this.CONSUME(t.CloseCurly);
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
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
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
    this.CONSUME(t.OpenCurly);
    this.MANY_SEP({ SEP: t.Newline, DEF: () => this.SUBRULE(this.setting) });
    this.CONSUME(t.CloseCurly);
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

  readonly settingCall: Rule = this.RULE("settingCall", () => {
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.argument) });
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

  // ------------------------------------------------------------ expressions

  readonly expression: Rule = this.RULE("expression", () => {
    this.SUBRULE(this.logical);
    this.MANY(() => {
      this.CONSUME(t.Arrow);
      this.SUBRULE(this.stage);
    });
  });

  readonly stage: Rule = this.RULE("stage", () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier);
      this.CONSUME(t.Colon);
    });
    this.OR([
      {
        ALT: () => {
          this.OR2([
            { ALT: () => this.CONSUME(t.Plus, { LABEL: "operator" }) },
            { ALT: () => this.CONSUME(t.Minus, { LABEL: "operator" }) },
            { ALT: () => this.CONSUME(t.Times, { LABEL: "operator" }) },
            { ALT: () => this.CONSUME(t.Slash, { LABEL: "operator" }) },
            { ALT: () => this.CONSUME(t.At, { LABEL: "operator" }) },
            { ALT: () => this.CONSUME(t.Power, { LABEL: "operator" }) },
          ]);
          this.SUBRULE(this.unary);
        },
      },
      { ALT: () => this.SUBRULE(this.body) },
      { ALT: () => this.SUBRULE(this.postfix) },
    ]);
  });

  readonly logical: Rule = this.RULE("logical", () => {
    this.SUBRULE(this.negation);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Or, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.And, { LABEL: "operator" }) },
      ]);
      this.SUBRULE2(this.negation);
    });
  });

  readonly negation: Rule = this.RULE("negation", () => {
    this.MANY(() => this.CONSUME(t.Not));
    this.SUBRULE(this.comparison);
  });

  readonly comparison: Rule = this.RULE("comparison", () => {
    this.SUBRULE(this.unary);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Plus, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Minus, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Times, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Slash, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.At, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Mod, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Dots, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Less, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.AtMost, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Equal, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Unequal, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Greater, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.AtLeast, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.In, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Divides, { LABEL: "operator" }) },
      ]);
      this.SUBRULE2(this.unary);
    });
  });

  readonly sum: Rule = this.RULE("sum", () => {
    this.SUBRULE(this.unary);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Plus, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Minus, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Times, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Slash, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.At, { LABEL: "operator" }) },
        { ALT: () => this.CONSUME(t.Mod, { LABEL: "operator" }) },
      ]);
      this.SUBRULE2(this.unary);
    });
  });

  readonly unary: Rule = this.RULE("unary", () => {
    this.MANY(() => this.CONSUME(t.Minus));
    this.SUBRULE(this.postfix);
    this.OPTION(() => {
      this.CONSUME(t.Power);
      this.SUBRULE(this.unary);
    });
  });

  readonly postfix: Rule = this.RULE("postfix", () => {
    this.SUBRULE(this.primary);
    this.MANY(() => this.SUBRULE(this.suffix));
  });

  readonly suffix: Rule = this.RULE("suffix", () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.callArguments) },
      { ALT: () => this.SUBRULE(this.bracket) },
      {
        ALT: () => {
          this.CONSUME(t.Dot);
          this.CONSUME(t.Identifier);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Rearranges);
          this.SUBRULE(this.primary);
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.From);
          this.CONSUME(t.String);
          this.OPTION(() => this.SUBRULE(this.settings));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.Over);
          this.OR2([
            { ALT: () => this.CONSUME2(t.Identifier, { LABEL: "axis" }) },
            { ALT: () => this.SUBRULE2(this.bracket, { LABEL: "axes" }) },
          ]);
        },
      },
    ]);
  });

  readonly callArguments: Rule = this.RULE("callArguments", () => {
    this.CONSUME(t.OpenRound);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.argument) });
    this.CONSUME(t.CloseRound);
  });

  readonly argument: Rule = this.RULE("argument", () => {
    this.OPTION(() => {
      this.CONSUME(t.Identifier);
      this.CONSUME(t.Assign);
    });
    this.SUBRULE(this.expression);
    this.OPTION2(() => {
      this.CONSUME(t.As);
      this.CONSUME2(t.Identifier, { LABEL: "alias" });
    });
  });

  readonly primary: Rule = this.RULE("primary", () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Identifier) },
      { ALT: () => this.CONSUME(t.Number) },
      { ALT: () => this.SUBRULE(this.bracket) },
      { ALT: () => this.SUBRULE(this.round) },
      { ALT: () => this.CONSUME(t.Percent) },
      { ALT: () => this.CONSUME(t.Quantity) },
      { ALT: () => this.CONSUME(t.String) },
      { ALT: () => this.CONSUME(t.True) },
      { ALT: () => this.CONSUME(t.False) },
      { ALT: () => this.SUBRULE(this.if) },
      { ALT: () => this.SUBRULE(this.repeat) },
      { ALT: () => this.SUBRULE(this.for) },
      { ALT: () => this.SUBRULE(this.recompute) },
      { ALT: () => this.SUBRULE(this.residual) },
      { ALT: () => this.SUBRULE(this.branch) },
      { ALT: () => this.SUBRULE(this.scan) },
    ]);
  });

  /** With commas a value, without a group of axes. */
  readonly round: Rule = this.RULE("round", () => {
    this.CONSUME(t.OpenRound);
    this.SUBRULE(this.argument);
    this.MANY(() => {
      this.OPTION(() => this.CONSUME(t.Comma));
      this.SUBRULE2(this.argument);
    });
    this.CONSUME(t.CloseRound);
  });

  readonly if: Rule = this.RULE("if", () => {
    this.CONSUME(t.If);
    this.SUBRULE(this.logical);
    this.SUBRULE(this.body);
    this.OPTION(() => {
      this.CONSUME(t.Else);
      this.SUBRULE2(this.body, { LABEL: "else" });
    });
  });

  readonly repeat: Rule = this.RULE("repeat", () => {
    this.CONSUME(t.Repeat);
    this.SUBRULE(this.sum);
    this.OPTION(() => this.CONSUME(t.Shared));
    this.SUBRULE(this.body);
  });

  readonly for: Rule = this.RULE("for", () => {
    this.CONSUME(t.For);
    this.CONSUME(t.Identifier);
    this.CONSUME(t.In);
    this.SUBRULE(this.sum);
    this.SUBRULE(this.body);
  });

  readonly recompute: Rule = this.RULE("recompute", () => {
    this.CONSUME(t.Recompute);
    this.SUBRULE(this.body);
  });

  readonly residual: Rule = this.RULE("residual", () => {
    this.CONSUME(t.Residual);
    this.OPTION(() => {
      this.CONSUME(t.Via);
      this.SUBRULE(this.postfix);
    });
    this.SUBRULE(this.body);
  });

  readonly branch: Rule = this.RULE("branch", () => {
    this.CONSUME(t.Branch);
    this.SUBRULE(this.body);
  });

  readonly scan: Rule = this.RULE("scan", () => {
    this.CONSUME(t.Scan);
    this.CONSUME(t.Identifier, { LABEL: "sequence" });
    this.CONSUME(t.Over);
    this.CONSUME2(t.Identifier, { LABEL: "axis" });
    this.CONSUME(t.With);
    this.AT_LEAST_ONE_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(this.carry) });
    this.SUBRULE(this.body);
  });

  readonly carry: Rule = this.RULE("carry", () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Assign);
    this.SUBRULE(this.sum);
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
