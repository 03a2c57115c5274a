// Removes the licence at the beginning of source files, which is the same in thousands of them.

/** A block of comments at the beginning: `/* … *\/`, or lines of `//`, `#` or `;`. */
const FIRST_COMMENT = /^\s*(\/\*[\s\S]*?\*\/|(?:[ \t]*(?:\/\/|#|;)[^\n]*\n)+)\s*/;
const ABOUT_RIGHTS = /copyright|licen[cs]e|\(c\)/i;

/** @param {string} code */
export function withoutLicenceHeader(code) {
  const comment = FIRST_COMMENT.exec(code)?.[0];
  return comment !== undefined && ABOUT_RIGHTS.test(comment) ? code.slice(comment.length) : code;
}
