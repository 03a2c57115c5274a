/** @module Multiple-choice questions about numbers, made anew from a seed: where tokens cut numbers, conversions lose most. */
import { uniformOf } from '../../random.js';
import type { Question } from './choice-records.js';

/** Integers from `low` to `high`. */
type Draw = (low: number, high: number) => number;

interface Problem {
  readonly question: string;
  readonly answer: number;
}

type Task = (draw: Draw, digits: number) => Problem;

/** A number with exactly so many digits. */
const withDigits = (draw: Draw, digits: number) => draw(digits === 1 ? 0 : 10 ** (digits - 1), 10 ** digits - 1);

const TASKS: Readonly<Record<string, Task>> = {
  addition: (draw, digits) => {
    const [a, b] = [withDigits(draw, digits), withDigits(draw, digits)];
    return { question: `What is ${a} + ${b}?`, answer: a + b };
  },
  subtraction: (draw, digits) => {
    const [a, b] = [withDigits(draw, digits), withDigits(draw, digits)];
    const [more, less] = [Math.max(a, b), Math.min(a, b)];
    return { question: `What is ${more} - ${less}?`, answer: more - less };
  },
  'last digit': (draw, digits) => {
    const a = withDigits(draw, digits + 2);
    return { question: `What is the last digit of ${a}?`, answer: a % 10 };
  },
  'larger number': (draw, digits) => {
    const a = withDigits(draw, digits + 1);
    const b = Math.max(0, a + (draw(0, 1) === 0 ? -1 : 1) * draw(1, 10 ** digits - 1));
    return { question: `Which number is larger, ${a} or ${b}?`, answer: Math.max(a, b) };
  },
};

const DIGITS = [1, 2, 3, 4];
const CHOICES = 4;

/** Wrong answers that look right: one digit differs. */
function distractor(answer: number, draw: Draw): number {
  const digits = [...String(answer)];
  const at = draw(0, digits.length - 1);
  const change = draw(1, 9);
  digits[at] = String((Number(digits[at]) + change) % 10);
  return Number(digits.join(''));
}

function questionFrom({ question, answer }: Problem, draw: Draw): Question {
  const wrong = new Set<number>();
  while (wrong.size < CHOICES - 1) {
    const other = distractor(answer, draw);
    if (other !== answer) wrong.add(other);
  }
  const place = draw(0, CHOICES - 1);
  const choices = [...wrong].map((number) => ` ${number}`);
  choices.splice(place, 0, ` ${answer}`);
  return { prompt: `Question: ${question}\nAnswer:`, choices, answer: place };
}

function* questions(task: string, digits: number, seed: number): Generator<Question> {
  for (let number = 0; ; number++) {
    const uniform = uniformOf(`arithmetic ${seed} ${task} ${digits} ${number}`);
    const draw: Draw = (low, high) => low + Math.floor(uniform() * (high - low + 1));
    yield questionFrom(TASKS[task]!(draw, digits), draw);
  }
}

/** Endless questions of each task and size of number, by the task's name. */
export function arithmeticTasks(seed: number): { readonly name: string; readonly questions: Iterable<Question> }[] {
  return Object.keys(TASKS).flatMap((task) =>
    DIGITS.map((digits) => ({
      name: `${task}, ${digits} ${digits === 1 ? 'digit' : 'digits'}`,
      questions: questions(task, digits, seed),
    })),
  );
}
