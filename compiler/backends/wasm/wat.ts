/** A module's text, for people. */
export async function watOf(bytes: Uint8Array): Promise<string> {
  const { default: binaryen } = await import("binaryen");
  const module = binaryen.readBinary(bytes);
  try {
    return module.emitText();
  } finally {
    module.dispose();
  }
}
