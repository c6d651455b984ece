/** The standard library's texts, by name: `layers` for compiler/library/layers.dlm. Made by .config/generate.mjs. */
export { librarySources } from "#generated/library";
