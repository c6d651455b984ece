// Before the tests: generated modules are made from the sources as they are now.
import { generate } from "./generate.mjs";

export default generate;
