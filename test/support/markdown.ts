/** What tests read of Markdown: headings with their anchors, links, tables. */

const FENCE = /^(```|~~~)[\s\S]*?^\1/gm;
const CODE_SPAN = /`[^`\n]*`/g;

const withoutFences = (markdown: string) => markdown.replaceAll(FENCE, '');

export interface Heading {
  readonly level: number;
  readonly text: string;
  /** A heading's anchor, as on GitHub. */
  readonly anchor: string;
}

function anchorOf(text: string): string {
  const plain = text.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').replaceAll(/[`*]/g, '');
  return plain
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, '')
    .replaceAll(' ', '-');
}

export function headingsOf(markdown: string): Heading[] {
  const seen = new Map<string, number>();
  return [...withoutFences(markdown).matchAll(/^(#{1,6}) +(.+?)(?: +#*)?$/gm)].map(([, marks, text]) => {
    const anchor = anchorOf(text!);
    const earlier = seen.get(anchor) ?? 0;
    seen.set(anchor, earlier + 1);
    return { level: marks!.length, text: text!, anchor: earlier === 0 ? anchor : `${anchor}-${earlier}` };
  });
}

/** The targets of links and images, inline, by reference and in HTML, but not inside code. */
export function linksOf(markdown: string): string[] {
  const prose = withoutFences(markdown).replaceAll(CODE_SPAN, '');
  const inline = prose.matchAll(/\]\(<?([^)\s>]+)>?(?: +"[^"]*")?\)/g);
  const references = prose.matchAll(/^ {0,3}\[[^\]]+\]: +<?([^\s>]+)/gm);
  const html = prose.matchAll(/<(?:a|img|source)\s[^>]*?(?:href|src|srcset)="([^"\s]+)"/g);
  return [...inline, ...references, ...html].map((match) => match[1]!);
}

/** The contents of code spans, in order. */
export function codeSpansOf(markdown: string): string[] {
  return [...markdown.matchAll(CODE_SPAN)].map(([span]) => span.slice(1, -1));
}

/** The text of the first fenced block below a heading, without its fences. @throws Error when there is none. */
export function fenceBelow(markdown: string, heading: string): string {
  const at = markdown.search(new RegExp(`^#+ ${heading}$`, 'm'));
  const block = at < 0 ? null : /^```\w*\n([\s\S]*?)\n```$/m.exec(markdown.slice(at));
  if (block === null) throw new Error(`There is no fenced block below the heading ${heading}`);
  return block[1]!;
}

/** Lines that do not begin like prose: headings, tables, items, quotes, HTML, link references. */
const NO_PROSE = /^\s*(?:#{1,6} |\||[-*+] |\d+\. |>|<|\[[^\]]+\]: )/;
const ITEM = /^\s*(?:[-*+]|\d+\.) /;
const COMMENT = /<!--[\s\S]*?-->/g;

/** Lines of prose that continue the line above: paragraphs and list items wrapped by hand. */
export function wrappedLines(markdown: string): string[] {
  const lines = withoutFences(markdown).replaceAll(COMMENT, '').split('\n');
  const isText = (line: string) => line.trim() !== '' && !NO_PROSE.test(line);
  const goesOn = (line: string | undefined) => line !== undefined && (isText(line) || ITEM.test(line));
  return lines.filter((line, i) => isText(line) && goesOn(lines[i - 1])).map((line) => line.trim());
}

/** A table's cells by row and header; cells are trimmed but keep their Markdown. */
export type Table = readonly Readonly<Record<string, string>>[];

function cellsOf(line: string): string[] {
  return line
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim());
}

/** The table whose header row begins with these cells. @throws Error when there is none. */
export function tableOf(markdown: string, ...first: string[]): Table {
  const lines = markdown.split('\n');
  const isHeader = (line: string) => line.startsWith('|') && first.every((cell, i) => cellsOf(line)[i] === cell);
  const at = lines.findIndex(isHeader);
  if (at < 0) throw new Error(`no table begins with ${first.join(' | ')}`);
  const headers = cellsOf(lines[at]!);
  const end = lines.findIndex((line, i) => i > at && !line.startsWith('|'));
  return lines
    .slice(at + 2, end < 0 ? undefined : end)
    .map((line) => Object.fromEntries(cellsOf(line).map((cell, i) => [headers[i] ?? String(i), cell])));
}
