/** @module Words of a shell command. */

/** A word as one argument of a POSIX shell, quoted if it must be. */
export const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
