// Text of manual pages: the common requests and escapes of man(7) and mdoc(7); other requests are dropped with their line.

/**
 * Escapes of roff as text.
 * @type {[RegExp, any][]}
 */
const ESCAPES = [
  [/\\f(\[[^\]]*\]|\(..|.)/g, ''],
  [/\\s[-+]?\d+/g, ''],
  [/\\[*n](\[[^\]]*\]|\(..|.)/g, ''],
  [/\\\((dq|lq|rq)/g, '"'],
  [/\\\((aq|oq|cq)/g, "'"],
  [/\\\((em|en)/g, ' - '],
  [/\\\(bu/g, '*'],
  [/\\\(../g, ''],
  [/\\\[(dq|lq|rq)\]/g, '"'],
  [/\\\[(aq|oq|cq)\]/g, "'"],
  [/\\\[(em|en)\]/g, ' - '],
  [/\\\[[^\]]*\]/g, ''],
  [/\\[-.']/g, (sequence) => sequence[1]],
  [/\\[ ~0]/g, ' '],
  [/\\e/g, '\\'],
  [/\\[&|^/,:%c)]/g, ''],
];

const withoutEscapes = (line) => ESCAPES.reduce((text, [pattern, by]) => text.replaceAll(pattern, by), line);

/** The words of a request's arguments, with spaces between them. */
const spaced = (args) => args.replaceAll(/"([^"]*)"|(\S+)/g, '$1$2');
/** The same without spaces: the arguments change between fonts within one word. */
const joined = (args) => [...args.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word).join('');

const BREAK = () => '\n\n';
const LINE = (args) => `${spaced(args)}\n`;
const JOINED = (args) => `${joined(args)}\n`;
const HEADING = (args) => `\n\n${spaced(args)}\n\n`;

/** Requests that keep text. */
const REQUESTS = {
  SH: HEADING,
  Sh: HEADING,
  SS: HEADING,
  Ss: HEADING,
  PP: BREAK,
  P: BREAK,
  LP: BREAK,
  Pp: BREAK,
  sp: BREAK,
  TP: BREAK,
  IP: (args) => `\n\n${/^("[^"]*"|\S+)/.exec(args)?.[0].replaceAll('"', '') ?? ''}\n`,
  B: LINE,
  I: LINE,
  SM: LINE,
  BR: JOINED,
  RB: JOINED,
  BI: JOINED,
  IB: JOINED,
  IR: JOINED,
  RI: JOINED,
};

/** @param {string} line */
function lineText(line) {
  if (/^['.]\s*\\"/.test(line)) return '';
  const request = /^['.]\s*(\w+)\s*(.*)$/.exec(line);
  if (request === null) return line.startsWith('.') ? '' : `${withoutEscapes(line)}\n`;
  return withoutEscapes(REQUESTS[request[1]]?.(request[2]) ?? '');
}

/** Tables and definitions of macros, which are not text. */
const BLOCKS = /^\.(TS|EQ|de\w*|ig|PS)\b[\s\S]*?^\.(TE|EN|\.|PE)[^\n]*$/gm;

/** @param {string} roff @returns the text of a manual page, with a paragraph on each line */
export const manText = (roff) =>
  roff
    .replaceAll(BLOCKS, '')
    .split('\n')
    .map(lineText)
    .join('')
    .replaceAll(/(?<!\n)\n(?!\n)/g, ' ')
    .replaceAll(/ {2,}/g, ' ');
