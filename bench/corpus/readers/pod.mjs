// Text of Perl's documentation format.

/** @param {string} pod @returns the paragraphs, without commands, indented code and formatting codes */
export const podParagraphs = (pod) =>
  pod
    .split(/\n{2,}/)
    .filter((paragraph) => /^[^\s=]/.test(paragraph))
    .map((paragraph) => paragraph.replaceAll(/[BCFILSX]<([^<>]*)>/g, '$1'))
    .join('\n\n');
