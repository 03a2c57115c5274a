// The data of bench:adapt: paragraphs of Debian's handbook in English and another language. What is asked later is not in the training text.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPackage } from '../corpus/fetch-package.mjs';
import { pinOf, readPins } from '../corpus/pins.mjs';
import { unpack } from '../corpus/unpack.mjs';
import { handbookPairs } from '../evaluate/handbook.mjs';

const PACKAGE = { name: 'debian-handbook', registry: 'deb' };
export const ENGLISH = 'en-US';

/** Of so many pairs one is held out. */
const HELD_OUT_OF = 12;
/** A training document has so many pairs, as the questions have examples before them. */
const PAIRS_PER_DOCUMENT = 4;
/** Characters: shorter paragraphs are mostly names; longer ones do not fit into the window of the smallest models. */
const LENGTHS = { shortest: 20, longest: 600, ends: /./ };
/** Of those, these are asked for translation. */
const [SHORTEST_ASKED, LONGEST_ASKED] = [30, 160];

/** The form in which the suite `translate` asks. */
const asText = (language, [english, other]) => `${ENGLISH}: ${english}\n${language}: ${other}\n\n`;

/**
 * Writes `pairs.jsonl` and `language.jsonl` to train on (paragraphs in both languages, and those in the language once more by themselves),
 * `held-out.jsonl` (paragraphs in the language), and two parallel files for the suite `translate`.
 * @param {string} work @param {string} language a folder of the handbook: `fa-IR`
 */
export function prepareHandbook(work, language) {
  mkdirSync(work, { recursive: true });
  const pin = pinOf(readPins(), PACKAGE);
  const unpacked = join(work, 'unpacked');
  rmSync(unpacked, { recursive: true, force: true });
  unpack(fetchPackage(PACKAGE, pin, work), unpacked);
  const pairs = handbookPairs(join(unpacked, 'usr/share/doc/debian-handbook/html'), ENGLISH, language, LENGTHS);
  rmSync(unpacked, { recursive: true });

  const isHeldOut = (_, i) => i % HELD_OUT_OF === 0;
  const heldOut = pairs.filter(isHeldOut);
  const training = pairs.filter((pair, i) => !isHeldOut(pair, i));
  const asked = heldOut.filter(([english]) => english.length >= SHORTEST_ASKED && english.length <= LONGEST_ASKED);
  const documents = Array.from({ length: Math.ceil(training.length / PAIRS_PER_DOCUMENT) }, (_, i) =>
    training
      .slice(i * PAIRS_PER_DOCUMENT, (i + 1) * PAIRS_PER_DOCUMENT)
      .map((pair) => asText(language, pair))
      .join(''),
  );
  const inOthers = training.map(([, other]) => other);
  const alone = Array.from({ length: documents.length }, (_, i) =>
    inOthers.slice(i * PAIRS_PER_DOCUMENT, (i + 1) * PAIRS_PER_DOCUMENT).join('\n\n'),
  );
  const jsonLines = (texts) => texts.map((text) => `${JSON.stringify({ text })}\n`).join('');
  const file = (name, contents) => {
    writeFileSync(join(work, name), contents);
    return join(work, name);
  };
  return {
    package: `${PACKAGE.name} ${pin.version}, sha256 ${pin.sha256}`,
    pairs: file('pairs.jsonl', jsonLines(documents)),
    alone: file('language.jsonl', jsonLines(alone)),
    // A paragraph is a document.
    heldOut: file('held-out.jsonl', jsonLines(heldOut.map(([, other]) => other))),
    parallel: [
      file(`${ENGLISH}.txt`, asked.map(([english]) => `${english}\n`).join('')),
      file(`${language}.txt`, asked.map(([, other]) => `${other}\n`).join('')),
    ],
    counts: { training: training.length, held_out: heldOut.length, asked: asked.length },
  };
}
