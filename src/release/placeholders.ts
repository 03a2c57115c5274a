/** @module Finds text that must not be published: placeholders, and paths of the author's machine. */

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
  // At least two components. `and/or` does not begin with a slash, and the slashes of a URL follow letters or another slash.
  /(?<![\w:/.\\<~)\]-])\/(?:[\w.@+~-]+\/)+[\w.@+~-]*/,
  /(?<!\w)~[\w-]*\/[\w.]/,
  /(?<!\w)\.{1,2}\/[\w.]/,
  /\b[A-Za-z]:[\\/][^\s/]/,
  /\bfile:\/\//,
];

const first = (patterns: readonly RegExp[], text: string): string | null =>
  patterns.flatMap((pattern) => pattern.exec(text)?.[0] ?? [])[0] ?? null;

/** The first placeholder in a text, or null. */
export function placeholderIn(text: string): string | null {
  return first(PLACEHOLDERS, text);
}

/** The first path of a local machine in a text, or null. URLs and plain file names do not count. */
export function localPathIn(text: string): string | null {
  return first(LOCAL_PATHS, text);
}
