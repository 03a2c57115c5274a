/** @module HTML from templates whose values are escaped, unless they are HTML themselves. */

/** A piece of HTML. */
export interface Html {
  readonly html: string;
}

type Part = string | number | Html | readonly Part[] | null;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!);

function written(part: Part): string {
  if (part === null) return '';
  if (typeof part === 'object') return 'html' in part ? part.html : part.map(written).join('');
  return escaped(String(part));
}

/** A template: texts and numbers are escaped, HTML and lists of it are taken as they are, null is left out. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: strings.reduce((text, string, i) => text + written(parts[i - 1] ?? null) + string) };
}

/** HTML that a library made. */
export const trusted = (text: string): Html => ({ html: text });

/** A table with a header. @param align of each column */
export function htmlTable(
  heads: readonly string[],
  rows: readonly (readonly Part[])[],
  align: readonly ('left' | 'right')[] = [],
): Html {
  const sideOf = (i: number) => align[i] ?? 'left';
  return html`<div class="wide" tabindex="0"><table>
<thead><tr>${heads.map((head, i) => html`<th scope="col" class="${sideOf(i)}">${head}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${row.map((cell, i) => html`<td class="${sideOf(i)}">${cell}</td>`)}</tr>\n`)}</tbody>
</table></div>`;
}
