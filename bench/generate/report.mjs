// Turns the measurements of bench:generate into rows and Markdown tables.
import { table } from '../markdown-table.mjs';
import { median } from '../process.mjs';

const number = (value, digits) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
const numberTable = (heads, rows) => table(heads, rows, { numbers: true });

/** The first step reads the prompt. The time of a later step is divided equally among its bytes. */
function pace(answer) {
  const [, ...ms] = answer.ms;
  const [, ...sizes] = answer.sizes;
  const each = ms.flatMap((time, i) => new Array(sizes[i]).fill(time / sizes[i]));
  return {
    first: answer.ms[0],
    per: median(each),
    rate: each.length / (ms.reduce((sum, time) => sum + time, 0) / 1000),
  };
}

const medianOf = (paces, value) => median(paces.map(value));

/** The medians of a contender's answers to one prompt, per byte or, for a token model, per token. */
export function paceOf(answers) {
  const paces = answers.map(pace);
  return {
    prompt_ms: medianOf(paces, ({ first }) => first),
    ms: medianOf(paces, ({ per }) => per),
    per_second: medianOf(paces, ({ rate }) => rate),
  };
}

/** The length of the common beginning of two lists of ids. */
export function agreeing(a, b) {
  const most = Math.min(a.length, b.length);
  const at = a.slice(0, most).findIndex((id, i) => id !== b[i]);
  return { same: at === -1 ? most : at, of: most };
}

const times = (a, b) => (b === undefined ? '' : `${number(a / b, 1)}x`);

/** One row per prompt and contender. */
export function speedTable(rows) {
  const find = (prompt, who) => rows.find((row) => row.prompt === prompt && row.who === who);
  const fastest = (prompt, who) =>
    rows
      .filter((row) => row.prompt === prompt && row.who === who)
      .reduce((most, { bytes_per_second: rate }) => Math.max(most ?? 0, rate), undefined);
  return numberTable(
    [
      'prompt, bytes',
      'who',
      'weights',
      'written',
      'prompt, ms',
      'ms per byte, median',
      'bytes/s',
      'against transformers',
      'against the fastest token model',
    ],
    rows.map((row) => [
      number(row.prompt),
      row.who + (row.draft ? `, drafts of ${row.draft}` : ''),
      row.weights,
      row.tokens_per_second === undefined
        ? `${row.written} bytes`
        : `${row.written} tokens, ${number(row.tokens_per_second, 1)} per second x ${number(row.bytes_per_token, 2)} bytes`,
      number(row.prompt_ms, 0),
      number(row.ms, 2),
      number(row.bytes_per_second, 1),
      row.who === 'byteify' ? times(row.bytes_per_second, find(row.prompt, 'transformers')?.bytes_per_second) : '',
      row.who === 'byteify' ? times(row.bytes_per_second, fastest(row.prompt, 'token model')) : '',
    ]),
  );
}

/** How many drafted bytes were accepted, the length of the patches, and how far the text agrees with that of transformers. */
export const textTable = (rows) =>
  numberTable(
    [
      'prompt, bytes',
      'weights',
      'drafts',
      'bytes per step',
      'drafts accepted',
      'bytes per patch',
      'first bytes equal to those of transformers',
    ],
    rows
      .filter(({ who }) => who === 'byteify')
      .map((row) => [
        number(row.prompt),
        row.weights,
        row.draft === 0 ? 'none' : `of ${row.draft}`,
        number(row.bytes_per_step, 2),
        row.accepted_share === null ? '' : `${number(100 * row.accepted_share, 0)} %`,
        number(row.bytes_per_patch, 2),
        row.agreeing === null ? '' : `${row.agreeing.same} of ${row.agreeing.of}`,
      ]),
  );

export const flatTable = (rows) =>
  numberTable(
    [
      'weights',
      ...rows[0].points.map(({ after, upTo }) =>
        after === undefined ? `up to ${number(upTo)} bytes` : `after ${number(after)} bytes`,
      ),
    ],
    rows.map(({ weights, points }) => [
      weights,
      ...points.map(({ ms, mean_ms: mean }) => `${number(ms, 2)}, ${number(mean, 2)}`),
    ]),
  );

export const roofTable = (rows, bandwidth) =>
  numberTable(
    [
      'prompt, bytes',
      'weights',
      'MB per byte',
      'MB per patch',
      'MB per new byte',
      'GB/s of weights',
      `of the ${number(bandwidth / 1e9, 1)} GB/s of memory`,
    ],
    rows.map((row) => [
      number(row.prompt),
      row.weights,
      ...[row.byte_bytes, row.patch_bytes, row.bytes_per_new_byte].map((bytes) => number(bytes / 1e6, 1)),
      number(row.weight_bytes_per_second / 1e9, 1),
      `${number((100 * row.weight_bytes_per_second) / bandwidth, 0)} %`,
    ]),
  );

export const oneRowTable = (rows) =>
  numberTable(
    ['weight type', 'ms', 'GB/s', 'G weights/s'],
    rows.map((row) => [row.name, number(row.ms, 1), number(row.gb_per_second, 1), number(row.gweights_per_second, 1)]),
  );
