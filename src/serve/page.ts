/** @module The demo page: one file that comes with byteify, and the policy that lets a browser run it and nothing else. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

export interface Page {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

/** Beside both src/ and dist/. */
const FILE = new URL('../../assets/serve/demo.html', import.meta.url);

/** The sources of a directive that allows what stands in the page's elements of a name. */
function hashesOf(html: string, element: 'script' | 'style'): string {
  const contents = [...html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(
    ([, content]) => content!,
  );
  return contents.map((content) => `'sha256-${createHash('sha256').update(content).digest('base64')}'`).join(' ');
}

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
