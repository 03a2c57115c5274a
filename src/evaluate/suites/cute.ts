/** @module Suite `cute`: does a model know which characters its words consist of? Four examples precede each question. */
import { UsageError } from '../../errors.js';
import { uniformOf } from '../../random.js';
import { kindsOf } from '../texts.js';
import { ANSWER_METRICS, answerCounts } from './answers.js';
import { cuteFiles, cuteProblems } from './cute-files.js';
import { CUTE_TASKS, type CuteProblem, type CuteTask, type Random } from './cute-tasks.js';
import { interleaved } from './interleave.js';
import { ALL_ITEMS, type Item, utf8 } from './item.js';
import type { Suite, SuiteOptions } from './suite.js';
import { neighbourProblem, readVectors, type WordVector } from './word-neighbours.js';

const SHOTS = 4;
const MOST_BYTES = 100;
const END = '"';

const randomOf = (key: string): Random => {
  const uniform = uniformOf(key);
  return { one: (list) => list[Math.floor(uniform() * list.length)]! };
};

/** Whether a task needs vectors. */
const isOfNeighbours = (name: string): name is 'orth' | 'sem' => name === 'orth' || name === 'sem';

/** Endless problems of a task, or none if it cannot make any. */
function* made(task: CuteTask, key: string, vectors: readonly WordVector[] | null): Generator<CuteProblem> {
  const make = (random: Random) =>
    isOfNeighbours(task.name) ? vectors && neighbourProblem(vectors, task.name, random) : task.make(random);
  for (let number = 0, misses = 0; misses < 100; number++) {
    const problem = make(randomOf(`cute ${key} ${task.name} ${number}`));
    if (problem === null) misses++;
    else {
      misses = 0;
      yield problem;
    }
  }
}

const asked = ({ question }: CuteTask, { inputs }: CuteProblem) => `${question(inputs)} Answer: "`;

/** Four solved problems, from other draws than the questions'. */
function examples(task: CuteTask, problems: Iterable<CuteProblem>): string {
  const shots: string[] = [];
  for (const problem of problems) {
    if (shots.length === SHOTS) break;
    shots.push(`${asked(task, problem)}${problem.label}"\n\n`);
  }
  return shots.join('');
}

async function* itemsOf(
  task: CuteTask,
  problems: AsyncIterable<CuteProblem> | Iterable<CuteProblem>,
  shots: string,
  group: string,
): AsyncGenerator<Item> {
  let number = 0;
  for await (const problem of problems) {
    const id = `${group} ${++number}`;
    const writing = { maxBytes: MOST_BYTES, stops: [utf8(END), utf8('\n')] };
    const question = { shared: utf8(shots), prompt: utf8(asked(task, problem)), continuations: [utf8(problem.label)] };
    yield { id, groups: [group, ALL_ITEMS], ...question, answer: 0, writing };
  }
}

/** The neighbours' examples need vectors as well; the official files contain some, which are then not asked. */
async function officialItems(
  path: string,
  { group, task }: { group: string; task: CuteTask },
  options: SuiteOptions,
): Promise<AsyncGenerator<Item>> {
  const own = examples(task, made(task, `${options.seed} examples`, null));
  if (own !== '') return itemsOf(task, cuteProblems(path, task), own, group);
  const problems = cuteProblems(path, task);
  const first: CuteProblem[] = [];
  for (let i = 0; i < SHOTS; i++) {
    const next = await problems.next();
    if (!next.done) first.push(next.value);
  }
  return itemsOf(task, problems, examples(task, first), group);
}

/** @throws UsageError if no word drawn has neighbours of both kinds */
function checkNeighbours(vectors: readonly WordVector[], path: string): void {
  for (const task of CUTE_TASKS.filter(({ name }) => isOfNeighbours(name)))
    if (made(task, 'check', vectors).next().done)
      throw new UsageError(`${path} has no word with a neighbour that looks like it and another that means the like.`, {
        hint: 'Give vectors of more words, as fastText publishes them.',
      });
}

async function* items(options: SuiteOptions): AsyncGenerator<Item> {
  const { data, seed, settings, limit } = options;
  if (data.length > 0) {
    const files = await cuteFiles(data);
    const kinds = kindsOf(files.map(({ path }) => path));
    const tasks = files.map(({ path, task }, i) => officialItems(path, { group: kinds[i]!.kind, task }, options));
    yield* interleaved(await Promise.all(tasks), limit);
    return;
  }
  const vectors = settings.vectors === '' ? null : await readVectors(settings.vectors!);
  if (vectors !== null) checkNeighbours(vectors, settings.vectors!);
  const tasks = CUTE_TASKS.map((task) =>
    itemsOf(task, made(task, `${seed}`, vectors), examples(task, made(task, `${seed} examples`, vectors)), task.name),
  );
  yield* interleaved(tasks, limit);
}

/** On words of sentences, case does not count. */
const ignoresCase = ({ groups }: Item) => /_word(_rand)?(\.tsv)?$/.test(String(groups[0]));

export const cute: Suite = {
  name: 'cute',
  summary: 'spelling, and changes to the characters of words and the words of sentences',
  data: 'the official .tsv files of CUTE, or their folder; without --data, problems from our own words',
  dataIsOptional: true,
  settings: { vectors: '' },
  fileSettings: ['vectors'],
  items,
  count: (item, outcome) =>
    answerCounts(item, outcome, (written, label) =>
      ignoresCase(item) ? written.toLowerCase() === label.toLowerCase() : written === label,
    ),
  metrics: ANSWER_METRICS,
  notes: [
    'Wording, examples and, without --data, the words differ from the published benchmark: compare a model with its source here, not with published scores.',
  ],
};
