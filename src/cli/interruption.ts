/** Ctrl-C and SIGTERM as a request to stop at the next safe moment; the second one ends the process at once. */
export interface Interruption {
  readonly requested: boolean;
  release(): void;
}

export function interruption(): Interruption {
  let requested = false;
  const ask = (): void => {
    if (requested) process.exit(130);
    requested = true;
  };
  process.on("SIGINT", ask);
  process.on("SIGTERM", ask);
  return {
    get requested() {
      return requested;
    },
    release() {
      process.off("SIGINT", ask);
      process.off("SIGTERM", ask);
    },
  };
}
