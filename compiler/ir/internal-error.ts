/** A bug of the compiler: names the pass and keeps the IR text that broke, so that it can be reproduced. */
export class InternalError extends Error {
  readonly pass: string;
  readonly ir: string | undefined;
  constructor(pass: string, message: string, ir: string | undefined) {
    super(`internal error in ${pass}: ${message}`);
    this.name = "InternalError";
    this.pass = pass;
    this.ir = ir;
  }
}
