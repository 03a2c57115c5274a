/** @module Section "Files": files that the model continued, as a browser shows or plays them. */
import type { ByteSample } from '../byte-samples.js';
import { type Html, html, htmlTable } from '../html.js';
import { mediaType } from '../media-type.js';
import type { Section } from './section.js';

/** Of a file that no browser shows. */
const DUMPED_BYTES = 48;

function dump(bytes: Uint8Array): Html {
  const more = bytes.length > DUMPED_BYTES ? ' …' : '';
  const shown = Buffer.from(bytes.subarray(0, DUMPED_BYTES))
    .toString('hex')
    .replaceAll(/(..)(?=.)/g, '$1 ');
  return html`<code>${shown}${more}</code>`;
}

/** @param what the file is, for those who do not see it @param from where a dump begins */
function file(bytes: Uint8Array, what: string, from: number): Html {
  const type = mediaType(bytes);
  if (type === null) return dump(bytes.subarray(from));
  const address = `data:${type};base64,${Buffer.from(bytes).toString('base64')}`;
  return type.startsWith('image/')
    ? html`<img class="pixels" src="${address}" alt="${what}">`
    : html`<audio controls src="${address}" aria-label="${what}"></audio>`;
}

function row({ domain, original, promptBytes, continued }: ByteSample, i: number) {
  const written = continued.length - promptBytes;
  return [
    `${domain} ${i + 1}`,
    `${promptBytes} bytes`,
    file(original, `${domain} ${i + 1}, the original`, promptBytes),
    html`${file(continued, `${domain} ${i + 1}, continued by the model`, promptBytes)} <span class="note">${written} bytes written</span>`,
  ];
}

/** Null if there are none. */
export function continuedFiles(samples: readonly ByteSample[]): Section | null {
  if (samples.length === 0) return null;
  const domains = [...new Set(samples.map(({ domain }) => domain))];
  const rows = domains.flatMap((name) => samples.filter(({ domain }) => domain === name).map(row));
  return {
    id: 'files',
    title: 'Files',
    body: html`<p>The beginnings of held-out documents, at most 4,096 bytes, of which the model was given the first half. It wrote the rest at temperature 0.7, each by its own seed; not chosen, except that what a browser shows or plays comes first. Of others the bytes after the given ones are printed.</p>
${htmlTable(['file', 'given', 'original', 'continued'], rows)}`,
  };
}
