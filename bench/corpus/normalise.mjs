// Gives texts one form: lines end with LF, without spaces at their ends, and with at most one empty line in a row.

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is removed
const CONTROL = /[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\ufeff]/g;

/** @param {string} text */
export const normalise = (text) =>
  `${text
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(/[\u00b6\u00a0]/g, (mark) => (mark === '\u00b6' ? '' : ' '))
    .replaceAll(CONTROL, '')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{3,}/g, '\n\n')
    .toWellFormed()
    .trim()}\n`;
