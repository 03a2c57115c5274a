/** @module Suite `choice`: multiple choice by likelihood, normalised by bytes (which is fair to any tokenizer), and as it is. */
import { UsageError } from '../../errors.js';
import { kindsOf } from '../texts.js';
import { arithmeticTasks } from './arithmetic.js';
import { type Question, questionsOf } from './choice-records.js';
import { interleaved } from './interleave.js';
import { ALL_ITEMS, type Group, type Item, type Outcome, utf8 } from './item.js';
import { type Counts, fraction, LABEL_BITS } from './metric.js';
import { NOISE_SETTINGS, noiseRates } from './noise.js';
import { NOISES, noised } from './noise-transforms.js';
import type { Suite, SuiteOptions } from './suite.js';

interface Task {
  readonly name: string;
  readonly questions: AsyncIterable<Question> | Iterable<Question>;
}

const MOST_SHOTS = 100;

function shotsOf({ settings }: SuiteOptions): number {
  const shots = Number(settings.shots);
  if (settings.shots?.trim() !== '' && Number.isInteger(shots) && shots >= 0 && shots <= MOST_SHOTS) return shots;
  throw new UsageError(
    `The setting choice.shots must be a whole number from 0 to ${MOST_SHOTS}, not "${settings.shots}".`,
  );
}

/** @returns whether to ask every question with each kind of noise as well */
function asksWithNoise({ settings }: SuiteOptions): boolean {
  if (settings.noise === 'none' || settings.noise === 'all') return settings.noise === 'all';
  throw new UsageError(`The setting choice.noise must be none or all, not "${settings.noise}".`);
}

const tasksOf = ({ data, seed }: SuiteOptions): readonly Task[] =>
  data.length === 0
    ? arithmeticTasks(seed)
    : kindsOf(data).map(({ kind, path }) => ({ name: kind, questions: questionsOf(path) }));

function itemOf(id: string, groups: readonly Group[], shared: string, question: Question): Item {
  const { prompt, choices, answer } = question;
  const continuations = choices.map(utf8);
  return { id, groups, shared: utf8(shared), prompt: utf8(prompt), continuations, answer, writing: null };
}

async function* itemsOf({ name, questions }: Task, options: SuiteOptions): AsyncGenerator<Item> {
  const rates = noiseRates('choice', options.settings);
  const shots: string[] = [];
  const wanted = shotsOf(options);
  const noises = asksWithNoise(options) ? NOISES : [];
  let number = 0;
  for await (const question of questions) {
    if (shots.length < wanted) {
      shots.push(`${question.prompt}${question.choices[question.answer]}\n\n`);
      continue;
    }
    const id = `${name} ${++number}`;
    yield itemOf(id, [name, ALL_ITEMS], shots.join(''), question);
    for (const noise of noises) {
      const disturb = (text: string, part: string) => noised(text, noise, rates, `${options.seed} ${id} ${part}`);
      const disturbed = {
        prompt: disturb(question.prompt, 'prompt'),
        // The space before a choice is not part of it.
        choices: question.choices.map((choice, i) => ` ${disturb(choice.slice(1), String(i))}`),
        answer: question.answer,
      };
      yield itemOf(`${id} ${noise}`, [`${name}, ${noise.replaceAll('_', ' ')}`], shots.join(''), disturbed);
    }
  }
  if (number > 0) return;
  throw new UsageError(`${name} has no question beyond the ${shots.length} that are given as examples.`, {
    hint: 'Give more questions, or a smaller choice.shots.',
  });
}

/** The index of the smallest value. */
const least = (values: readonly number[]) => values.indexOf(Math.min(...values));

function count({ continuations, answer }: Item, { nats }: Outcome): Counts {
  const perByte = nats.map((one, i) => one / continuations[i]!.length);
  return {
    items: 1,
    right_per_byte: least(perByte) === answer ? 1 : 0,
    right: least(nats) === answer ? 1 : 0,
    chance: 1 / continuations.length,
    nats: nats[answer]!,
    bytes: continuations[answer]!.length,
  };
}

export const choice: Suite = {
  name: 'choice',
  summary: 'multiple choice: JSON lines as HellaSwag, ARC, PIQA or MMLU have them, or arithmetic without --data',
  data: 'questions: files of JSON lines, each one task',
  dataIsOptional: true,
  settings: { shots: '0', noise: 'none', ...NOISE_SETTINGS },
  async *items(options) {
    // With noise, each question is asked several times.
    const limit = options.limit * (asksWithNoise(options) ? 1 + NOISES.length : 1);
    yield* interleaved(
      tasksOf(options).map((task) => itemsOf(task, options)),
      limit,
    );
  },
  count,
  metrics: [
    fraction('right_per_byte', 'accuracy, normalised by bytes'),
    fraction('right', 'accuracy'),
    { ...fraction('chance', 'by chance'), better: 'neither' },
    LABEL_BITS,
  ],
  notes: [
    'A model of some 100 M parameters answers most questions near chance; the bits per byte of the right answer tell models apart where accuracy does not.',
  ],
};
