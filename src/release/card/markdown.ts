/** @module Markdown for model cards: tables, and escaping of untrusted text. */

/** Control characters and characters that change the text direction. */
const INVISIBLE = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(INVISIBLE, '').trim();

/** Characters that begin emphasis, code, a link, HTML, an entity, a heading, a formula or a strikethrough. Tables escape pipes themselves. */
const MARKS = /[\\`*_[\]<>&#$~!]/g;

/** Text that GitHub's Markdown links automatically: URLs, `www.` and e-mail addresses. */
const AUTOLINKS = /:(?=\/\/)|(?<=\bwww)\.|@/gi;

/** Characters that turn a line into a list item: `-`, `+`, and the period of `1.`. */
const LIST_MARKS = /^[-+=]|(?<=^\d{1,9})[.)](?=\s|$)/;

/**
 * Escapes untrusted text as one line of Markdown that shows it literally: no HTML, links or emphasis. Not for code spans.
 * Backslashes escape any ASCII punctuation (CommonMark 0.31, section 2.4).
 */
export function escapeText(text: string): string {
  return [MARKS, AUTOLINKS, LIST_MARKS].reduce((safe, pattern) => safe.replace(pattern, '\\$&'), oneLine(text));
}

/** A code span for any text, including backticks (CommonMark 0.31, section 6.1). */
export function code(text: string): string {
  const line = oneLine(text) || ' ';
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const padding = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return fence + padding + line + padding + fence;
}

/** Characters that are allowed in a URL but have a meaning in Markdown. */
const UNSAFE_IN_ADDRESS = /[()<>[\]\\|`*~!'"]/g;

const percent = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;

/**
 * Encodes an http or https URL so that Markdown cannot misread its end.
 * @returns null for other schemes, for URLs with a user name or password, and for text that is not a URL.
 */
export function webAddress(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const { protocol, username, password, href } = new URL(text);
  if (!/^https?:$/.test(protocol) || username !== '' || password !== '') return null;
  return href.replaceAll(UNSAFE_IN_ADDRESS, percent);
}

/** A link with untrusted text; only the text if the address is not a web URL. */
export function link(text: string, address: string | null | undefined): string {
  const safe = address == null ? null : webAddress(address);
  return safe === null ? escapeText(text) : `[${escapeText(text)}](${safe})`;
}

/** A link to a file in the card's folder. */
export function fileLink(name: string): string {
  return `[${escapeText(name)}](${encodeURIComponent(name).replaceAll(UNSAFE_IN_ADDRESS, percent)})`;
}

/** Escapes pipes and line breaks, which would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;

/**
 * @param head titles; a colon at the end of a title right-aligns the column, for numbers.
 * @param rows cells in Markdown; the caller escapes untrusted text.
 */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const titles = head.map((title) => title.replace(/:$/, ''));
  const rule = head.map((title) => (title.endsWith(':') ? '---:' : '---'));
  return [line(titles), line(rule), ...rows.map(line)].join('\n');
}

/** Formats a number with four significant digits; whole numbers are kept in full. */
export function significant(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}
