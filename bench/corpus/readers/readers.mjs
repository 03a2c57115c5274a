// How each format is read. A reader takes a path and returns the texts of its documents.
import { bytesOf, decode } from '../decode.mjs';
import { dictionaryEntries } from './dictionary.mjs';
import { htmlText } from './html.mjs';
import { manText } from './man.mjs';
import { passages } from './passages.mjs';
import { podParagraphs } from './pod.mjs';
import { rDataTexts } from './r-data.mjs';
import { swordTexts } from './sword.mjs';

/** Encyclopedias and collections of short texts are stored in documents of this many characters. */
const PASSAGE_CHARACTERS = 16_000;

const textOf = (path) => decode(bytesOf(path));
/** @param {(text: string, options: object) => string} read */
const onePerFile = (read) => (path, options) => [read(textOf(path), options)];

/** @type {Record<string, (path: string, options: { main?: string, code?: boolean }) => string[]>} */
export const READERS = {
  text: onePerFile((text) => text),
  html: onePerFile(htmlText),
  pod: onePerFile(podParagraphs),
  man: onePerFile(manText),
  dictionary: (path) => passages(dictionaryEntries(textOf(path)), PASSAGE_CHARACTERS),
  /** fortune: texts between lines with a percent sign. */
  fortunes: (path) => passages(textOf(path).split(/\n%\n/), PASSAGE_CHARACTERS),
  /** JSON: articles with a title and an extract. */
  articles: (path) =>
    passages(
      Object.values(JSON.parse(textOf(path))).map(({ title, extract }) => `${title}\n\n${extract}\n`),
      PASSAGE_CHARACTERS,
    ),
  sword: (path) => swordTexts(path).flatMap((book) => passages(book.split(/\n{2,}/), PASSAGE_CHARACTERS)),
  /** Books, of which each is one vector of lines. */
  rData: (path) => rDataTexts(path).flatMap((book) => passages(book.split(/\n{2,}/), PASSAGE_CHARACTERS)),
};
