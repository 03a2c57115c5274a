/** @module Section "Files": files that the model continued, as a browser shows or plays them. */
import type { ByteSample } from '../byte-samples.js';
import { type Html, html, htmlTable } from '../html.js';
import type { Section } from './section.js';

interface Format {
  /** The bytes that a file of the format begins with, as Latin-1. */
  readonly begins: RegExp;
  readonly type: string;
}

/** Formats that browsers show or play. */
const FORMATS: readonly Format[] = [
  { begins: /^BM/, type: 'image/bmp' },
  { begins: /^\x89PNG\r\n/, type: 'image/png' },
  { begins: /^GIF8/, type: 'image/gif' },
  { begins: /^\xff\xd8\xff/, type: 'image/jpeg' },
  { begins: /^RIFF.{4}WEBP/s, type: 'image/webp' },
  { begins: /^RIFF.{4}WAVE/s, type: 'audio/wav' },
  { begins: /^OggS/, type: 'audio/ogg' },
  { begins: /^(ID3|\xff[\xf2\xf3\xfb])/, type: 'audio/mpeg' },
];

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
  const head = Buffer.from(bytes.subarray(0, 16)).toString('latin1');
  const type = FORMATS.find(({ begins }) => begins.test(head))?.type;
  if (type === undefined) return dump(bytes.subarray(from));
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
    body: html`<p>Held-out files of which the model was given the first half, at temperature 0.7, each by its own seed; not chosen. A file that a browser can show or play is decoded; of others the bytes after the given ones.</p>
${htmlTable(['file', 'given', 'original', 'continued'], rows)}`,
  };
}
