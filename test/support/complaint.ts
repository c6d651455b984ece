/** What the readers of data complain about. */
import { DataError } from "../../src/data/error.ts";

/** The text of the DataError that `run` throws. */
export function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof DataError) return error.message;
    throw error;
  }
  return "no error";
}
