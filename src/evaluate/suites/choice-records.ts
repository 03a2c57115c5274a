/** @module Multiple-choice questions from JSON lines in the shapes of HellaSwag, ARC, PIQA, MMLU and others: the shapes are data. */
import { z } from 'zod';
import { UsageError } from '../../errors.js';
import { numberedLines } from './numbered-lines.js';

export interface Question {
  readonly prompt: string;
  /** As they continue the prompt, with the space before them. */
  readonly choices: readonly string[];
  /** The index of the right one. */
  readonly answer: number;
}

const index = z.union([z.int().min(0), z.string().regex(/^\d+$/).transform(Number)]);
const texts = z.array(z.string()).min(2);
const asked = (question: string) => `Question: ${question}\nAnswer:`;
const spaced = (choices: readonly string[]) => choices.map((choice) => ` ${choice}`);
/** The index of a letter, `A` being 0, or of a label among others. */
const labelled = (label: string, labels: readonly string[]) => labels.indexOf(label);
const LETTERS = [...'ABCDEFGHIJ'];

/** The shapes, the first that fits being taken. Keys that a shape does not name are allowed. `keys` ends with that of the answer. */
const SHAPES = [
  {
    name: 'HellaSwag',
    keys: ['ctx', 'endings', 'label'],
    schema: z
      .object({ ctx: z.string(), endings: texts, label: index })
      .transform(({ ctx, endings, label }) => ({ prompt: ctx, choices: spaced(endings), answer: label })),
  },
  {
    name: 'ARC',
    keys: ['question', 'choices', 'answerKey'],
    schema: z
      .object({
        question: z.string(),
        choices: z.object({ text: texts, label: z.array(z.string()) }),
        answerKey: z.string(),
      })
      .transform(({ question, choices: { text, label }, answerKey }) => ({
        prompt: asked(question),
        choices: spaced(text),
        answer: labelled(answerKey, label),
      })),
  },
  {
    name: 'PIQA',
    keys: ['goal', 'sol1', 'sol2', 'label'],
    schema: z
      .object({ goal: z.string(), sol1: z.string(), sol2: z.string(), label: index })
      .transform(({ goal, sol1, sol2, label }) => ({
        prompt: asked(goal),
        choices: spaced([sol1, sol2]),
        answer: label,
      })),
  },
  {
    name: 'MMLU or TokSuite',
    keys: ['question', 'choices', 'answer'],
    schema: z
      .object({ question: z.string(), choices: texts, answer: z.union([index, z.string().length(1)]) })
      .transform(({ question, choices, answer }) => ({
        prompt: asked(question),
        choices: spaced(choices),
        answer: typeof answer === 'number' ? answer : labelled(answer, LETTERS),
      })),
  },
  {
    name: 'prompt',
    keys: ['prompt', 'choices', 'answer'],
    schema: z
      .object({ prompt: z.string(), choices: texts, answer: index })
      .transform(({ prompt, choices, answer }) => ({ prompt, choices: spaced(choices), answer })),
  },
] as const;

const SHAPE_KEYS = SHAPES.map(({ name, keys }) => `${keys.join(', ')} (${name})`).join('; ');

/** @throws UsageError for a record that has all keys of a shape, apart from that of its answer, or an empty answer */
function checkAnswer(record: unknown, place: string): void {
  if (typeof record !== 'object' || record === null) return;
  const has = (key: string) => Object.hasOwn(record, key);
  const fitting = SHAPES.filter(({ keys }) => keys.slice(0, -1).every(has));
  const answers = fitting.map(({ keys }) => keys.at(-1)!);
  const given = answers.find(has);
  const value = given === undefined ? undefined : (record as Record<string, unknown>)[given];
  if (answers.length === 0 || (given !== undefined && value !== '' && value !== null)) return;
  throw new UsageError(`${place} has no answer.`, {
    hint: `It belongs in "${[...new Set(answers)].join('" or "')}". Test sets are often published without answers.`,
  });
}

function questionOf(record: unknown, place: string): Question {
  for (const { schema } of SHAPES) {
    const parsed = schema.safeParse(record);
    if (!parsed.success) continue;
    const question: Question = parsed.data;
    if (question.answer >= 0 && question.answer < question.choices.length) return question;
    throw new UsageError(`${place} has no choice that its answer names.`, {
      hint: `It has ${question.choices.length} choices.`,
    });
  }
  checkAnswer(record, place);
  throw new UsageError(`${place} is no multiple-choice question of a known shape.`, {
    hint: `Its keys must be one of these sets: ${SHAPE_KEYS}.`,
  });
}

function parsed(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new UsageError(`${place} is not JSON.`, { cause, hint: 'Give one JSON object per line.' });
  }
}

/** The questions of a file. @throws UsageError for a line without a question or an answer, naming it; an Error if the file cannot be read */
export async function* questionsOf(path: string): AsyncGenerator<Question> {
  for await (const { number, line } of numberedLines(path)) {
    if (line.trim() === '') continue;
    const place = `Line ${number} of ${path}`;
    yield questionOf(parsed(line, place), place);
  }
}
