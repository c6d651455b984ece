// What is measured besides the rows, in this order. A part is { name, run(settings) }, which gives lines to print, targets
// { found, limit, holds } and results for the JSON.
export const parts = [];
