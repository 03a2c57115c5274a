// Text of HTML pages: paragraphs without links, images and navigation.
import { compile } from 'html-to-text';

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
  '#leftnav',
  'a.mark',
  'button',
  'hr',
  'svg',
].map((selector) => ({ selector, format: 'skip' }));

const MORE = [
  { selector: 'blockquote', format: 'block' },
  ...['h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
];

/** The paragraphs of a page without code. @type {(html: string) => string} */
export const htmlParagraphs = compile({ wordwrap: false, selectors: [...BASE, ...CODE] });

/** Compiling the selectors takes longer than converting a small page. @type {Map<string, (html: string) => string>} */
const converters = new Map();

/** @param {string} main @param {boolean} code */
function converter(main, code) {
  const key = `${main} ${code}`;
  const found = converters.get(key);
  if (found !== undefined) return found;
  const made = compile({
    wordwrap: false,
    limits: { maxInputLength: 2 ** 26 },
    baseElements: { selectors: [main], returnDomByDefault: true },
    selectors: [...BASE, ...MORE, ...FURNITURE, ...(code ? [] : CODE)],
  });
  converters.set(key, made);
  return made;
}

/** Elements without text, removed before the slower parser sees them. */
const WITHOUT_TEXT = /<(script|style|svg|head)\b[\s\S]*?<\/\1>|<!--[\s\S]*?-->/gi;

/**
 * The text of a page, or of one element of it, without navigation.
 * @param {string} html
 * @param {{ main?: string, code?: boolean }} options `main` selects the element with the page's own text
 */
export const htmlText = (html, { main = 'body', code = false } = {}) =>
  converter(main, code)(html.replaceAll(WITHOUT_TEXT, ''));
