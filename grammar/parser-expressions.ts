// The expressions and types of the grammar, with the parser's settings: recovery, own messages, LL(2).
import { CstParser } from "chevrotain";
import type {
  CstNode,
  IOrAlt,
  IParserErrorMessageProvider,
  IToken,
  ParserMethod,
  TokenType,
} from "chevrotain";
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

export type Rule = ParserMethod<[], CstNode>;

const factors: readonly TokenType[] = [t.Plus, t.Minus, t.Times, t.Slash, t.At];
const comparisons: readonly TokenType[] = [
  t.Less,
  t.AtMost,
  t.Equal,
  t.Unequal,
  t.Greater,
  t.AtLeast,
  t.In,
  t.Divides,
];

/**
 * Operators are read as flat lists; build-expression.ts knows their precedence. Children that the tree must tell
 * apart have a LABEL. Blocks belong to the grammar of declarations.
 */
export abstract class ExpressionGrammar extends CstParser {
  abstract readonly body: Rule;
  abstract readonly settings: Rule;

  constructor() {
    super([...t.tokenTypes], {
      recoveryEnabled: true,
      nodeLocationTracking: "full",
      maxLookahead: 2,
      errorMessageProvider: expectedOnly,
      skipValidations: true,
    });
  }

  protected override canTokenTypeBeInsertedInRecovery(type: TokenType): boolean {
    if (type === t.CloseCurly) return this.LA(1).tokenType !== t.Newline && isNaN(this.LA(1).startOffset);
    return !brackets.has(type) || type === t.OpenCurly;
  }

  protected override canTokenTypeBeDeletedInRecovery(type: TokenType): boolean {
    const doomed = this.LA(1).tokenType;
    return type !== t.Newline && !brackets.has(doomed) && doomed !== t.Newline;
  }

  protected oneOf(types: readonly TokenType[], label: string): IOrAlt<IToken>[] {
    return types.map((type) => ({ ALT: () => this.CONSUME(type, { LABEL: label }) }));
  }

  private operators(types: readonly TokenType[]): IOrAlt<IToken>[] {
    return this.oneOf(types, "operator");
  }

  /** `(one, another)`; once a rule, as the helpers below: each takes the first number of what it uses */
  protected listInRound(element: () => Rule): void {
    this.CONSUME(t.OpenRound);
    this.MANY_SEP({ SEP: t.Comma, DEF: () => this.SUBRULE(element()) });
    this.CONSUME(t.CloseRound);
  }

  /** a line each, in braces */
  protected linesInCurly(line: () => Rule): void {
    this.CONSUME(t.OpenCurly);
    this.MANY_SEP({ SEP: t.Newline, DEF: () => this.SUBRULE(line()) });
    this.CONSUME(t.CloseCurly);
  }

  /** `: type`, or nothing */
  protected optionalType(): void {
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
  }

  private readonly stageOperators = this.operators([...factors, t.Power]);
  private readonly logicalOperators = this.operators([t.Or, t.And]);
  private readonly sumOperators = this.operators([...factors, t.Mod]);
  private readonly comparisonOperators = this.operators([...factors, t.Mod, t.Dots, ...comparisons]);

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

  readonly path: Rule = this.RULE("path", () => {
    this.AT_LEAST_ONE_SEP({ SEP: t.Dot, DEF: () => this.CONSUME(t.Identifier) });
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
          this.OR2(this.stageOperators);
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
      this.OR(this.logicalOperators);
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
      this.OR(this.comparisonOperators);
      this.SUBRULE2(this.unary);
    });
  });

  readonly sum: Rule = this.RULE("sum", () => {
    this.SUBRULE(this.unary);
    this.MANY(() => {
      this.OR(this.sumOperators);
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
    this.listInRound(() => this.argument);
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
      this.SUBRULE2(this.body, { LABEL: "otherwise" });
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
    this.SUBRULE(this.comparison);
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
