// Text of HTML pages: paragraphs without links, images and navigation.
import { convert } from 'html-to-text';

/** What `bench:smollm2` has always used; its published numbers depend on it. */
const BASE = [
  { selector: 'a', options: { ignoreHref: true } },
  { selector: 'img', format: 'skip' },
  ...['h1', 'h2', 'h3', 'h4'].map((selector) => ({ selector, options: { uppercase: false } })),
];

const CODE = [{ selector: 'pre', format: 'skip' }];

/** Navigation and marks that documentation generators add to every page. */
const FURNITURE = [
  'nav',
  'footer',
  'a.headerlink',
  'div.related',
  'div.sphinxsidebar',
  'div.navheader',
  'div.navfooter',
  'div.header',
  'div.nav',
  'div.toc',
  'table.navigation',
  'button',
  'svg',
].map((selector) => ({ selector, format: 'skip' }));

const HEADINGS = ['h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } }));

/** @param {string} html @returns the paragraphs of a page without code */
export const htmlParagraphs = (html) => convert(html, { wordwrap: false, selectors: [...BASE, ...CODE] });

/**
 * The text of a page, or of one element of it, without navigation.
 * @param {string} html
 * @param {{ main?: string, code?: boolean }} options `main` selects the element with the page's own text
 */
export const htmlText = (html, { main = 'body', code = false } = {}) =>
  convert(html, {
    wordwrap: false,
    limits: { maxInputLength: 2 ** 26 },
    baseElements: { selectors: [main], returnDomByDefault: true },
    selectors: [...BASE, ...HEADINGS, ...FURNITURE, ...(code ? [] : CODE)],
  });
