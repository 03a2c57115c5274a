/** @module The demo page: one file that is part of byteify, and the Content-Security-Policy that lets a browser run it and nothing else. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface Page {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

/** The path is the same from src/ and from dist/. */
const FILE = new URL('../../assets/serve/demo.html', import.meta.url);

/** The hashes that allow the contents of the page's script or style elements. */
function hashesOf(html: string, element: 'script' | 'style'): string {
  const contents = [...html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(
    ([, content]) => content!,
  );
  return contents.map((content) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`).join(' ');
}

/** Reads the page and builds its policy. */
export async function readPage(): Promise<Page> {
  const html = await readFile(FILE, 'utf8');
  const directives = [
    `default-src 'none'`,
    `script-src ${hashesOf(html, 'script')}`,
    `style-src ${hashesOf(html, 'style')}`,
    `connect-src 'self'`,
    `img-src data:`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ];
  return { html, policy: directives.join('; ') };
}
