// Before the tests: generated modules are made from the sources as they are now.
import { generateForTests } from "./generate.mjs";

export default generateForTests;
