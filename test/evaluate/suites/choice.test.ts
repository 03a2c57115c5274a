import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { choice } from '../../../src/evaluate/suites/choice.js';
import { collected, itemOf, suiteOptions, textOf } from '../../support/suite-items.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

async function fileOf(...records: unknown[]): Promise<string> {
  const path = join(folder(), 'questions.jsonl');
  await writeFile(
    path,
    records.map((record) => (typeof record === 'string' ? record : JSON.stringify(record))).join('\n'),
  );
  return path;
}

const optionsFor = (data: readonly string[], settings: Record<string, string> = {}, limit = 10) =>
  suiteOptions({ data, limit, settings: { ...choice.settings, ...settings } });

const SHAPES: readonly (readonly [string, object, string, readonly string[], number])[] = [
  [
    'HellaSwag',
    { ind: 4, ctx: 'He opens', endings: ['it.', 'a door.'], label: '1' },
    'He opens',
    [' it.', ' a door.'],
    1,
  ],
  [
    'ARC',
    { id: 'x', question: 'Why?', choices: { text: ['so', 'no'], label: ['A', 'B'] }, answerKey: 'B' },
    'Question: Why?\nAnswer:',
    [' so', ' no'],
    1,
  ],
  [
    'PIQA',
    { goal: 'Sew', sol1: 'needle', sol2: 'spoon', label: 0 },
    'Question: Sew\nAnswer:',
    [' needle', ' spoon'],
    0,
  ],
  [
    'MMLU',
    { question: '2 + 2', choices: ['3', '4', '5'], answer: 1 },
    'Question: 2 + 2\nAnswer:',
    [' 3', ' 4', ' 5'],
    1,
  ],
  ['letters', { question: '2 + 2', choices: ['3', '4'], answer: 'B' }, 'Question: 2 + 2\nAnswer:', [' 3', ' 4'], 1],
  [
    'its own',
    { prompt: 'One plus one is', choices: ['two', 'three'], answer: 0 },
    'One plus one is',
    [' two', ' three'],
    0,
  ],
];

describe('multiple choice', () => {
  it.each(SHAPES)('reads the shape of %s', async (_, record, prompt, choices, answer) => {
    const [item] = await collected(choice.items(optionsFor([await fileOf(record)])));
    expect(textOf(item!.prompt)).toBe(prompt);
    expect(item!.continuations.map(textOf)).toEqual(choices);
    expect(item!.answer).toBe(answer);
  });

  it.each([
    ['no JSON', '{"ctx":', 'Line 2 of', 'is not JSON'],
    ['no known shape', { text: 'x' }, 'Line 2 of', 'no multiple-choice question'],
    ['no answer', { question: 'x', choices: ['a', 'b'] }, 'Line 2 of', 'has no answer'],
    ['an empty answer', { ctx: 'x', endings: ['a', 'b'], label: '' }, 'Line 2 of', 'has no answer'],
    [
      'an answer that is no choice',
      { question: 'x', choices: ['a', 'b'], answer: 2 },
      'Line 2 of',
      'no choice that its answer',
    ],
    [
      'a letter beyond the choices',
      { question: 'x', choices: ['a', 'b'], answer: 'C' },
      'Line 2 of',
      'no choice that its answer',
    ],
  ])('names a line with %s', async (_, record, place, reason) => {
    const path = await fileOf(SHAPES[0]![1], record as object);
    const found = collected(choice.items(optionsFor([path])));
    await expect(found).rejects.toThrow(place);
    await expect(collected(choice.items(optionsFor([path])))).rejects.toThrow(reason);
  });

  it('says so if all questions are given as examples', async () => {
    const path = await fileOf(SHAPES[0]![1], SHAPES[0]![1]);
    await expect(collected(choice.items(optionsFor([path], { shots: '2' })))).rejects.toThrow(
      'has no question beyond the 2 that are given as examples',
    );
    await expect(collected(choice.items(optionsFor([path], { shots: '' })))).rejects.toThrow('choice.shots must be');
  });

  it('puts the first questions, with their answers, before the others', async () => {
    const record = (n: number) => ({ prompt: `Number ${n} is`, choices: ['odd', 'even'], answer: (n + 1) % 2 });
    const items = await collected(
      choice.items(optionsFor([await fileOf(record(1), record(2), record(3))], { shots: '2' })),
    );
    expect(items.length).toBe(1);
    expect(textOf(items[0]!.shared)).toBe('Number 1 is odd\n\nNumber 2 is even\n\n');
    expect(textOf(items[0]!.prompt)).toBe('Number 3 is');
  });

  it('asks with noise too, in the prompt and the choices, without moving the space between them', async () => {
    const items = await collected(choice.items(optionsFor([await fileOf(SHAPES[0]![1])], { noise: 'all' }, 1)));
    expect(items.length).toBe(6);
    const upper = items.find(({ groups }) => String(groups[0]).endsWith('upper case'))!;
    expect([textOf(upper.prompt), ...upper.continuations.map(textOf)]).toEqual(['HE OPENS', ' IT.', ' A DOOR.']);
    const ant = items.find(({ groups }) => String(groups[0]).endsWith('antspeak'))!;
    expect(textOf(ant.continuations[1]!)).toBe(' A   D O O R .');
    await expect(collected(choice.items(optionsFor([], { noise: 'some' })))).rejects.toThrow(
      'choice.noise must be none or all',
    );
    await expect(collected(choice.items(optionsFor([], { shots: '-1' })))).rejects.toThrow('choice.shots must be');
  });

  it('makes arithmetic questions with one right answer, the same for the same seed', async () => {
    const items = await collected(choice.items(optionsFor([], {}, 5)));
    expect(items.length).toBe(5 * 16);
    expect(await collected(choice.items(optionsFor([], {}, 5)))).toEqual(items);
    for (const { prompt, continuations, answer, groups } of items) {
      const [, a, sign, b] = /What is (\d+) ([+-]) (\d+)\?/.exec(textOf(prompt)) ?? [];
      expect(new Set(continuations.map(textOf)).size).toBe(4);
      if (a === undefined) continue;
      const right = sign === '+' ? Number(a) + Number(b) : Number(a) - Number(b);
      expect(textOf(continuations[answer]!)).toBe(` ${right}`);
      expect(right).toBeGreaterThanOrEqual(0);
      expect(groups[0]).toContain(sign === '+' ? 'addition' : 'subtraction');
    }
  });

  it('counts the most likely choice, per byte and as it is', () => {
    const item = itemOf({ continuations: ['a', 'a long answer'], answer: 1 });
    const outcome = { nats: [1, 5], steps: 1, written: null };
    expect(choice.count(item, outcome)).toEqual({
      ...{ items: 1, right_per_byte: 1, right: 0, chance: 0.5 },
      ...{ nats: 5, bytes: 13 },
    });
  });
});
