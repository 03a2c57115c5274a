/** @module Markdown of a model card: tables, and text from outside that must stay text. */

/** Control characters, and those that turn the direction of the text around them. */
const INVISIBLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(INVISIBLE, '').trim();

/** What begins emphasis, code, a link, HTML, an entity, a heading, a formula or a strike-through. A table escapes its pipes itself. */
const MARKS = /[\\`*_[\]<>&#$~!]/g;

/** What GitHub's Markdown makes a link of without being asked: an address, `www.` and an e-mail. */
const AUTOLINKS = /:(?=\/\/)|(?<=\bwww)\.|@/gi;

/** What makes a list of a line that begins with it: `-`, `+`, and the point of `1.`. */
const LIST_MARKS = /^[-+=]|(?<=^\d{1,9})[.)](?=\s|$)/;

/**
 * Text from outside as Markdown that shows it as it is, in one line: no HTML, no link, no emphasis. Not for code spans.
 * Backslashes escape any ASCII punctuation (CommonMark 0.31, section 2.4).
 */
export function escapeText(text: string): string {
  return [MARKS, AUTOLINKS, LIST_MARKS].reduce((safe, pattern) => safe.replace(pattern, '\\$&'), oneLine(text));
}

/** A code span that shows any text, its own backticks included (CommonMark 0.31, section 6.1). */
export function code(text: string): string {
  const line = oneLine(text) || ' ';
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const padding = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return fence + padding + line + padding + fence;
}

/** Characters that an address may have and Markdown reads as its own. */
const UNSAFE_IN_ADDRESS = /[()<>[\]\\|`*~!'"]/g;

const percent = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/**
 * An address of the web in a form that ends where it ends.
 * @returns null for what is none: another scheme, a name or password in it, no address at all
 */
export function webAddress(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, username, password, href } = new URL(text);
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '') return null;
  return href.replaceAll(UNSAFE_IN_ADDRESS, percent);
}

/** A link with text from outside; the text alone where the address is none of the web. */
export function link(text: string, address: string | null | undefined): string {
  const safe = address == null ? null : webAddress(address);
  return safe === null ? escapeText(text) : `[${escapeText(text)}](${safe})`;
}

/** A link to a file beside the card. */
export function fileLink(name: string): string {
  return `[${escapeText(name)}](${encodeURIComponent(name).replaceAll(UNSAFE_IN_ADDRESS, percent)})`;
}

/** A pipe or a line break would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

/**
 * @param head a title that ends in a colon has numbers below it, which stand on the right
 * @param rows Markdown: text from outside is escaped by the caller
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const titles = head.map((title) => title.replace(/:$/, ''));
  const rule = head.map((title) => (title.endsWith(':') ? '---:' : '---'));
  return [line(titles), line(rule), ...rows.map(line)].join('\n');
}

/** Four significant digits. */
export function significant(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}
