// Preloaded into a process: at its end it writes the seconds that it had the processor into file descriptor 3.
import { writeSync } from "node:fs";

process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  writeSync(3, String((user + system) / 1e6));
});
