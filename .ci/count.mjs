// Last step of .ci/run: counts of vitest's JSON report on one line. Arguments: the report, 1 where the quickstart
// failed, the exit status of the tests. A file that could not be loaded, a failed quickstart and an end with an
// error that no test owns each count as one failure.
import { readFileSync } from "node:fs";

const [path, quickstart, status] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, "utf8"));
const broken = report.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((result) => result.status === "failed"),
);
for (const file of broken) console.log(`could not be run: ${file.name}\n${file.message}`);
if (quickstart === "1") console.log("npm run quickstart failed");
if (report.numPendingTests > 0) console.log(`${report.numPendingTests} skipped`);

let failed = report.numFailedTests + broken.length + (quickstart === "1" ? 1 : 0);
if (failed === 0 && (status !== "0" || report.numPassedTests === 0)) failed = 1;
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
