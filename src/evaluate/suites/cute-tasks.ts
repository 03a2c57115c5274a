/**
 * @module The tasks of CUTE (Edman et al. 2024, arXiv 2409.15452): what each asks, and items made from our own words. The columns of a task are
 * those of the official files; the wording, the words and the examples are our own.
 */
import { ADJECTIVES, NAMES, NOUNS, PLACES, VERBS } from './word-lists.js';

export interface CuteProblem {
  readonly inputs: readonly string[];
  readonly label: string;
}

export interface CuteTask {
  readonly name: string;
  /** Number of columns before the label. */
  readonly columns: number;
  question(inputs: readonly string[]): string;
  /** A problem; null if none can be made of what was drawn. */
  make(random: Random): CuteProblem | null;
}

/** Draws from a reproducible stream. */
export interface Random {
  one<T>(list: readonly T[]): T;
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const WORDS = [...NOUNS, ...ADJECTIVES, ...VERBS];

/** The words of a sentence, without its full stop. */
const wordsOf = (sentence: string) => sentence.slice(0, -1).split(' ');
const joined = (words: readonly string[]) => `${words.join(' ')}.`;

function sentenceOf({ one }: Random): string {
  const name = one(NAMES);
  const thing = () => `the ${one(ADJECTIVES)} ${one(NOUNS)}`;
  return `${name} ${one(VERBS)} ${thing()} ${one(PLACES)} the ${one(NOUNS)}.`;
}

const once = <T>(parts: readonly T[]): readonly T[] =>
  parts.filter((part) => parts.indexOf(part) === parts.lastIndexOf(part));

/** What the tasks on characters of a word and on words of a sentence have in common. */
interface Level {
  readonly suffix: string;
  /** What the parts are called, and the whole. */
  readonly part: string;
  readonly whole: string;
  text(random: Random): string;
  split(text: string): readonly string[];
  join(parts: readonly string[]): string;
  /** Parts from outside the text. */
  readonly others: readonly string[];
}

const LEVELS: readonly Level[] = [
  {
    suffix: 'char',
    part: 'letter',
    whole: 'word',
    text: ({ one }) => one(WORDS),
    split: (text) => [...text],
    join: (parts) => parts.join(''),
    others: LETTERS,
  },
  {
    suffix: 'word',
    part: 'word',
    whole: 'sentence',
    text: sentenceOf,
    split: wordsOf,
    join: joined,
    others: NOUNS,
  },
];

const SPELLING: readonly CuteTask[] = [
  {
    name: 'spell',
    columns: 1,
    question: ([word]) => `Write the letters of "${word}" with a space between them.`,
    make({ one }) {
      const word = one(WORDS);
      return { inputs: [word], label: [...word].join(' ') };
    },
  },
  {
    name: 'spell_inverse',
    columns: 1,
    question: ([letters]) => `Join the letters "${letters}" into a word.`,
    make({ one }) {
      const word = one(WORDS);
      return { inputs: [[...word].join(' ')], label: word };
    },
  },
];

function changes({ suffix, part, whole, text, split, join, others }: Level): readonly CuteTask[] {
  /** Replaces each part that equals `old` by others. */
  const replaced = (parts: readonly string[], old: string, by: readonly string[]) =>
    join(parts.flatMap((one) => (one === old ? by : [one])));
  const drawn = (random: Random) => {
    const given = text(random);
    const parts = split(given);
    return { given, parts, old: random.one(parts), fresh: random.one(others.filter((one) => !parts.includes(one))) };
  };
  return [
    {
      name: `contains_${suffix}`,
      columns: 2,
      question: ([what, given]) => `Is the ${part} "${what}" in the ${whole} "${given}"?`,
      make(random) {
        const { given, old, fresh } = drawn(random);
        const label = random.one(['Yes', 'No']);
        return { inputs: [label === 'Yes' ? old : fresh, given], label };
      },
    },
    {
      name: `ins_${suffix}`,
      columns: 3,
      question: ([fresh, old, given]) => `Put the ${part} "${fresh}" after every "${old}" in the ${whole} "${given}".`,
      make(random) {
        const { given, parts, old, fresh } = drawn(random);
        return { inputs: [fresh, old, given], label: replaced(parts, old, [old, fresh]) };
      },
    },
    {
      name: `del_${suffix}`,
      columns: 2,
      question: ([old, given]) => `Remove every ${part} "${old}" from the ${whole} "${given}".`,
      make(random) {
        const { given, parts, old } = drawn(random);
        return { inputs: [old, given], label: replaced(parts, old, []) };
      },
    },
    {
      name: `sub_${suffix}`,
      columns: 3,
      question: ([old, fresh, given]) => `Replace every ${part} "${old}" by "${fresh}" in the ${whole} "${given}".`,
      make(random) {
        const { given, parts, old, fresh } = drawn(random);
        return { inputs: [old, fresh, given], label: replaced(parts, old, [fresh]) };
      },
    },
    {
      name: `swap_${suffix}`,
      columns: 3,
      question: ([a, b, given]) => `Exchange the ${part}s "${a}" and "${b}" in the ${whole} "${given}".`,
      make(random) {
        const { given, parts } = drawn(random);
        const unique = once(parts);
        if (unique.length < 2) return null;
        const a = random.one(unique);
        const b = random.one(unique.filter((one) => one !== a));
        const label = join(parts.map((one) => (one === a ? b : one === b ? a : one)));
        return { inputs: [a, b, given], label };
      },
    },
  ];
}

/** Tasks that choose one of two words, whose items need word vectors or the official files. */
const NEIGHBOURS: readonly CuteTask[] = [
  { name: 'orth', likeness: 'looks more like' },
  { name: 'sem', likeness: 'is closer in meaning to' },
].map(({ name, likeness }) => ({
  name,
  columns: 3,
  question: ([word, a, b]: readonly string[]) => `Which word ${likeness} "${word}": "${a}" or "${b}"?`,
  make: () => null,
}));

export const CUTE_TASKS: readonly CuteTask[] = [...SPELLING, ...LEVELS.flatMap(changes), ...NEIGHBOURS];
