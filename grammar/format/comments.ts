// Comments and blank lines by position: which comment goes with which token.
import type { IToken } from "chevrotain";

export interface Attached {
  /** on lines of their own before the token */
  readonly leading: readonly IToken[];
  /** behind the token in its line */
  readonly trailing: IToken | undefined;
}

export interface Comments {
  of(token: IToken): Attached;
  /** behind the last token of the file, on lines of their own */
  readonly last: readonly IToken[];
  /** an empty line before the token or comment in the source */
  blankBefore(element: IToken): boolean;
  /** what stands before in the source, comments included */
  before(element: IToken): IToken | undefined;
}

const nothing: Attached = { leading: [], trailing: undefined };

export function attachComments(tokens: readonly IToken[], comments: readonly IToken[]): Comments {
  const all = [...tokens, ...comments].sort((a, b) => a.startOffset - b.startOffset);
  const isComment = new Set(comments);
  const attached = new Map<IToken, { leading: IToken[]; trailing: IToken | undefined }>();
  const entry = (token: IToken) => {
    const known = attached.get(token) ?? { leading: [], trailing: undefined };
    attached.set(token, known);
    return known;
  };
  const previous = new Map<IToken, IToken>();
  let waiting: IToken[] = [];
  let token: IToken | undefined;
  all.forEach((element, index) => {
    const before = all[index - 1];
    if (before) previous.set(element, before);
    if (!isComment.has(element)) {
      if (waiting.length > 0) entry(element).leading.push(...waiting);
      waiting = [];
      token = element;
    } else if (token && token.endLine === element.startLine) entry(token).trailing = element;
    else waiting.push(element);
  });
  return {
    of: (element) => attached.get(element) ?? nothing,
    last: waiting,
    before: (element) => previous.get(element),
    blankBefore: (element) => {
      const before = previous.get(element);
      return before !== undefined && (element.startLine ?? 0) - (before.endLine ?? 0) > 1;
    },
  };
}
