/** @module What must not be in a text that is published: places that wait for an author, and paths of someone's machine. */

const PLACEHOLDERS: readonly RegExp[] = [
  /\[more information needed\]/i,
  /\[(?:insert|your|add|fill)\b[^\]]*\]/i,
  /\b(?:TODO|TBD|FIXME|XXX)\b/,
  /\{\{.*?\}\}/,
  /<(?:your|insert|owner|name)\b[^>]*>/i,
  /\bOWNER\/NAME\b/,
  /\blorem ipsum\b/i,
];

const LOCAL_PATHS: readonly RegExp[] = [
  // Two parts at the least: `and/or` begins with no slash, and an address has letters or a slash before its own.
  /(?<![\w:/.\\<~)\]-])\/(?:[\w.@+~-]+\/)+[\w.@+~-]*/,
  /(?<!\w)~[\w-]*\/[\w.]/,
  /(?<!\w)\.{1,2}\/[\w.]/,
  /\b[A-Za-z]:[\\/][^\s/]/,
  /\bfile:\/\//,
];

const first = (patterns: readonly RegExp[], text: string): string | null =>
  patterns.flatMap((pattern) => pattern.exec(text)?.[0] ?? [])[0] ?? null;

/** The first place that waits for an author, or null. */
export function placeholderIn(text: string): string | null {
  return first(PLACEHOLDERS, text);
}

/** The first path that leads into a machine's folders, or null. Addresses are none, nor are names of files. */
export function localPathIn(text: string): string | null {
  return first(LOCAL_PATHS, text);
}
