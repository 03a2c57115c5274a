import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cute } from '../../../src/evaluate/suites/cute.js';
import { CUTE_TASKS, type Random } from '../../../src/evaluate/suites/cute-tasks.js';
import { levenshteinRatio } from '../../../src/evaluate/suites/word-neighbours.js';
import { uniformOf } from '../../../src/random.js';
import { collected, itemOf, suiteOptions, textOf } from '../../support/suite-items.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const optionsFor = (data: readonly string[], limit = 3, vectors = '') =>
  suiteOptions({ data, limit, settings: { ...cute.settings, vectors } });

/** Solves a problem from its inputs, independently of how it was made. */
const SOLVERS: Readonly<Record<string, (inputs: readonly string[]) => string>> = {
  spell: ([word]) => word!.split('').join(' '),
  spell_inverse: ([letters]) => letters!.replaceAll(' ', ''),
  contains_char: ([letter, word]) => (word!.includes(letter!) ? 'Yes' : 'No'),
  contains_word: ([word, sentence]) => (` ${sentence!.replace('.', '')} `.includes(` ${word} `) ? 'Yes' : 'No'),
  ins_char: ([fresh, old, word]) => word!.replaceAll(old!, `${old}${fresh}`),
  ins_word: ([fresh, old, sentence]) => sentence!.replaceAll(new RegExp(`\\b${old}\\b`, 'g'), `${old} ${fresh}`),
  del_char: ([old, word]) => word!.replaceAll(old!, ''),
  del_word: ([old, sentence]) =>
    sentence!
      .replaceAll(new RegExp(`\\b${old}\\b`, 'g'), '')
      .replaceAll(/ +/g, ' ')
      .replace(' .', '.')
      .trim(),
  sub_char: ([old, fresh, word]) => word!.replaceAll(old!, fresh!),
  sub_word: ([old, fresh, sentence]) => sentence!.replaceAll(new RegExp(`\\b${old}\\b`, 'g'), fresh!),
  swap_char: ([a, b, word]) => word!.replace(a!, '#').replace(b!, a!).replace('#', b!),
  swap_word: ([a, b, sentence]) =>
    sentence!
      .replace(new RegExp(`\\b${a}\\b`), '#')
      .replace(new RegExp(`\\b${b}\\b`), a!)
      .replace('#', b!),
};

describe('the tasks of cute', () => {
  it.each(Object.keys(SOLVERS))('%s has the right label', (name) => {
    const task = CUTE_TASKS.find((one) => one.name === name)!;
    const uniform = uniformOf(name);
    const random: Random = { one: (list) => list[Math.floor(uniform() * list.length)]! };
    for (let i = 0; i < 200; i++) {
      const problem = task.make(random);
      if (problem === null) continue;
      expect(problem.inputs.length).toBe(task.columns);
      expect([problem.inputs, problem.label]).toEqual([problem.inputs, SOLVERS[name]!(problem.inputs)]);
    }
  });

  it('come in turn, with four solved examples before each question', async () => {
    const items = await collected(cute.items(optionsFor([], 2)));
    const tasks = items.map(({ groups }) => groups[0]);
    expect(tasks.slice(12)).toEqual(tasks.slice(0, 12));
    expect(new Set(tasks)).toEqual(new Set(Object.keys(SOLVERS)));
    for (const { shared, prompt, continuations } of items) {
      expect(textOf(shared).match(/Answer: "[^"]*"\n\n/g)?.length).toBe(4);
      expect(textOf(prompt)).toMatch(/Answer: "$/);
      expect(textOf(shared)).not.toContain(`${textOf(prompt)}${textOf(continuations[0]!)}"`);
    }
    expect(await collected(cute.items(optionsFor([], 2)))).toEqual(items);
  });

  it('count an answer, its first wrong byte and its likelihood', () => {
    const item = itemOf({ groups: ['sub_word'], continuations: ['The cat sat.'] });
    const counted = (written: string) => cute.count(item, { nats: [3], steps: 1, written: Buffer.from(written) });
    expect(counted('the CAT sat.')).toMatchObject({ exact_match: 1, right_share: 1, nats: 3, bytes: 12 });
    expect(counted('The dog sat.')).toMatchObject({ exact_match: 0, right_share: 4 / 12 });
    const letters = itemOf({ groups: ['spell'], continuations: ['c a t'] });
    expect(cute.count(letters, { nats: [3], steps: 1, written: Buffer.from('C a t') })).toMatchObject({
      exact_match: 0,
    });
  });
});

describe('the official files of cute', () => {
  async function fileOf(name: string, ...lines: string[]): Promise<string> {
    const path = join(folder(), name);
    await writeFile(path, `${lines.join('\n')}\n`);
    return path;
  }

  it('are read by the name of their task, from a folder too', async () => {
    await mkdir(join(folder(), 'data'));
    await fileOf('data/ins_char.tsv', 'input1\tinput2\tinput3\tlabel', 'm\th\tthe\tthme');
    await fileOf('data/spell_rand.tsv', 'input1\tlabel', 'xqz\tx q z');
    await fileOf('data/README.md', 'other');
    await fileOf('data/add_char_rand.tsv', 'input1\tinput2\tinput3\tlabel', 'b\ta\tka\tkab');
    const items = await collected(cute.items(optionsFor([join(folder(), 'data')])));
    expect(items.map(({ groups, continuations }) => [groups[0], textOf(continuations[0]!)])).toEqual([
      ['add_char_rand', 'kab'],
      ['ins_char', 'thme'],
      ['spell_rand', 'x q z'],
    ]);
    expect(textOf(items[1]!.prompt)).toBe('Put the letter "m" after every "h" in the word "the". Answer: "');
  });

  it('keep the tasks of folders with the same files apart', async () => {
    for (const name of ['one', 'two']) {
      await mkdir(join(folder(), name));
      await fileOf(`${name}/spell.tsv`, 'input1\tlabel', 'cat\tc a t');
    }
    const folders = ['one', 'two'].map((name) => join(folder(), name));
    const items = await collected(cute.items(optionsFor(folders)));
    expect(items.map(({ groups }) => groups[0])).toEqual(folders.map((path) => join(path, 'spell.tsv')));
    expect(new Set(items.map(({ id }) => id)).size).toBe(2);
  });

  it('name vectors without words, or without neighbours', async () => {
    const ask = (vectors: string) => collected(cute.items(suiteOptions({ settings: { vectors }, limit: 1 })));
    const foreign = await fileOf('foreign.vec', 'Привет 1 2', 'The 3 4');
    await expect(ask(foreign)).rejects.toThrow(`${foreign} has no words that can be compared.`);
    const alone = await fileOf('alone.vec', 'house 1 0', 'tree 0 1');
    await expect(ask(alone)).rejects.toThrow('has no word with a neighbour');
  });

  it('name a header or a line that is none', async () => {
    const header = await fileOf('spell.tsv', 'word\tlabel', 'cat\tc a t');
    await expect(collected(cute.items(optionsFor([header])))).rejects.toThrow(
      `The first line of ${header} is not the header of the task spell.`,
    );
    const line = await fileOf('del_char.tsv', 'input1\tinput2\tlabel', 'c\tcat\tat', 'c\tcat');
    await expect(collected(cute.items(optionsFor([line])))).rejects.toThrow(`Line 3 of ${line}`);
    const other = await fileOf('words.tsv', 'input1\tlabel');
    await expect(collected(cute.items(optionsFor([other])))).rejects.toThrow('is not that of a CUTE task');
    await expect(collected(cute.items(optionsFor([join(folder(), 'none')])))).rejects.toThrow('There is no');
  });
});

describe('neighbours', () => {
  it('have the Levenshtein ratio of the benchmark', () => {
    expect(levenshteinRatio('home', 'some')).toBeCloseTo(0.75);
    expect(levenshteinRatio('abc', 'abc')).toBe(1);
    expect(levenshteinRatio('abc', 'xyz')).toBe(0);
  });

  it('are found in word vectors: one looks like the word, the other means the like', async () => {
    const path = join(folder(), 'vectors.vec');
    const lines = ['4 2', 'home 1 0', 'some 0 1', 'residence 0.9 0.1', 'trucks 0 -1'];
    await writeFile(path, lines.join('\n'));
    const items = await collected(cute.items(optionsFor([], 5, path)));
    const orth = items.filter(({ groups }) => groups[0] === 'orth');
    const sem = items.filter(({ groups }) => groups[0] === 'sem');
    expect(new Set(orth.map(({ continuations }) => textOf(continuations[0]!)))).toEqual(new Set(['some']));
    expect(new Set(sem.map(({ continuations }) => textOf(continuations[0]!)))).toEqual(new Set(['residence']));
    await writeFile(path, 'home 1 0\nsome 1\n');
    await expect(collected(cute.items(optionsFor([], 1, path)))).rejects.toThrow('Line 2 of');
  });
});
