// Removes the licence at the beginning of source files, which is the same in thousands of them.

/** One comment: C's block, lines of C++, shell or Lisp, or the indented comment of reStructuredText. */
const COMMENT = new RegExp(
  [
    String.raw`^\s*\/\*[\s\S]*?\*\/[ \t]*\n?`,
    String.raw`^(?:[ \t]*(?:\/\/|;|#(?=[\s!#]))[^\n]*\n)+`,
    String.raw`^\.\.(?![^\n]*::)[^\n]*\n(?:[ \t]+[^\n]*\n|\n)+`,
  ].join('|'),
);
const ABOUT_RIGHTS = /copyright|licen[cs]e|\(c\)/i;
/** The description of a file can come before its licence. */
const FIRST_COMMENTS = 3;

/** @param {string} source @returns the source without those of its first comments that are about rights */
export function withoutLicenceHeader(source) {
  let kept = '';
  let rest = source;
  for (let i = 0; i < FIRST_COMMENTS; i++) {
    const [comment] = COMMENT.exec(rest) ?? [];
    if (comment === undefined) break;
    const { length } = /^\s*\n|^/.exec(rest.slice(comment.length))[0];
    const end = comment.length + length;
    if (!ABOUT_RIGHTS.test(comment)) kept += rest.slice(0, end);
    rest = rest.slice(end);
  }
  return kept + rest;
}
