import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOE, BOS, EOS, readBltConfig } from '../../src/blt/index.js';
import { locateModel } from '../../src/import/index.js';
import {
  byteTargets,
  cutRows,
  openSourceReader,
  patchStates,
  patchTokens,
  readRows,
  sourceInputs,
} from '../../src/patching/index.js';
import { goldenPath } from '../support/golden.js';

const folder = (await locateModel('builtin:tiny-llama')).path;
const reader = await openSourceReader(folder, { vocabSize: 1024, bosId: null, eosIds: [0] });
const config = await readBltConfig(goldenPath('plain/blt'));
const { vocabulary, special } = reader;
const LENGTH = 40;
const TOKENS = 32;

/** A text with `|` after each patch, `~` after each patch that is cut late, and `$` for EOS. */
interface Marked {
  readonly text: string;
  readonly hasEnd: boolean;
  /** The numbers of bytes before each cut. */
  readonly cuts: readonly number[];
  readonly late: readonly number[];
  /** The text that the source reads for each patch after BOS, and whether the patch is closed. */
  readonly chunks: readonly { readonly text: string; readonly closed: boolean }[];
}

function parse(marked: string): Marked {
  const parts = marked.replace('$', '').split(/(?<=[|~])/);
  const [cuts, late]: number[][] = [[], []];
  const chunks: { text: string; closed: boolean }[] = [];
  let [text, carried] = ['', ''];
  for (const part of parts) {
    const mark = part.at(-1)!;
    const closed = mark === '|' || mark === '~';
    const bytes = closed ? part.slice(0, -1) : part;
    text += bytes;
    if (closed) cuts!.push(text.length);
    if (mark === '~') late!.push(text.length);
    const all = carried + bytes;
    carried = mark === '~' ? all.slice(-1) : '';
    chunks.push({ text: mark === '~' ? all.slice(0, -1) : all, closed });
  }
  const hasEnd = marked.endsWith('$');
  // A patch of EOS alone contains no text.
  if (hasEnd && chunks.at(-1)!.closed) chunks.push({ text: carried, closed: false });
  return { text, hasEnd, cuts: cuts!, late: late!, chunks };
}

/** Rows of documents, and their fields. */
function fieldsOf(rows: readonly (readonly Marked[])[]) {
  const entropies = new Float32Array(rows.length * LENGTH);
  const late = new Set<number>();
  const packed = rows.map((marked, row) => {
    const ids = new Int32Array(LENGTH).fill(BOE);
    let at = 0;
    const documents = marked.map(({ text, hasEnd, cuts, late: lateCuts }) => {
      const start = at;
      ids.set([BOS, ...[...Buffer.from(text)].map((byte) => byte + 4), ...(hasEnd ? [EOS] : [])], start);
      for (const cut of cuts) entropies[row * LENGTH + start + cut] = 99;
      for (const cut of lateCuts) late.add(row * LENGTH + start + cut);
      at += text.length + (hasEnd ? 2 : 1);
      return { start, end: at };
    });
    return { ids, documents };
  });
  const cuts = cutRows(packed, entropies, config, 24);
  const readings = readRows(packed, cuts, reader, (position) => late.has(position));
  const sizes = { ...cuts.batch, tokens: TOKENS };
  const values = {
    ...sourceInputs(readings, sizes),
    ...patchTokens(readings, sizes),
    ...patchStates(readings, sizes),
    ...byteTargets(readings, sizes, reader),
  };
  return { packed, patches: cuts.batch.patches, values };
}

const bytesOf = (rank: number) => Buffer.from(vocabulary.bytesAt(rank)).toString('latin1');

/** The tokens that begin with some bytes, by a search through all. */
const beginning = (prefix: string) =>
  Array.from({ length: vocabulary.ordinary }, (_, rank) => rank).filter((rank) => bytesOf(rank).startsWith(prefix));

const ROWS = [['the| file ~is|$', 'read|ing'].map(parse), ['index of~ the fi|le| an|d it'].map(parse)];

describe('source fields', () => {
  const { packed, patches, values } = fieldsOf(ROWS);
  /** Documents with their positions, and the indices of their first tokens and patches. */
  const placed = ROWS.flatMap((documents, row) => {
    let [token, patch] = [row * TOKENS, row * patches];
    return documents.map((document, i) => {
      const chunks = document.chunks.map(({ text, closed }) => {
        const ranks =
          text === '' ? [special.end] : reader.tokensOf(Uint8Array.from(Buffer.from(text))).map(({ rank }) => rank);
        return { text, closed, ranks };
      });
      const start = row * LENGTH + packed[row]!.documents[i]!.start;
      const place = { ...document, chunks, start, token, patch };
      token += 1 + chunks.reduce((sum, { ranks }) => sum + ranks.length, 0);
      patch += 1 + chunks.length;
      return place;
    });
  });

  it('are tested on examples with a patch of several tokens, and with documents that do and do not end', () => {
    const closed = placed.flatMap(({ chunks }) => chunks).filter((chunk) => chunk.closed);
    expect(new Set(closed.map(({ ranks }) => ranks.length > 1))).toEqual(new Set([true, false]));
    expect(ROWS[0]!.map(({ hasEnd }) => hasEnd)).toEqual([true, false]);
  });

  it('give the source each document’s chunks in order, and padding as a separate document', () => {
    const ids = new Int32Array(ROWS.length * TOKENS);
    const documents = new Int32Array(ROWS.length * TOKENS);
    ROWS.forEach(({ length }, row) => {
      documents.fill(length, row * TOKENS, (row + 1) * TOKENS);
    });
    for (const { chunks, token } of placed) {
      const tokens = [special.start, ...chunks.flatMap(({ ranks }) => ranks)];
      ids.set(tokens, token);
      documents.fill(token % TOKENS === 0 ? 0 : 1, token, token + tokens.length);
    }
    expect(values.sourceIds).toEqual(ids);
    expect(values.sourceDocuments).toEqual(documents);
  });

  it('give each patch the last state of its chunk, and its token if it is closed and exactly one token', () => {
    const states = Int32Array.from({ length: ROWS.length * patches }, (_, i) => Math.floor(i / patches) * TOKENS);
    const tokens = new Int32Array(ROWS.length * patches);
    const weights = new Float32Array(ROWS.length * patches);
    const several = new Float32Array(ROWS.length * patches);
    for (const { chunks, token, patch } of placed) {
      let state = token;
      [special.start, ...chunks].forEach((chunk, i) => {
        const { ranks, closed } = typeof chunk === 'number' ? { ranks: [chunk], closed: true } : chunk;
        if (i > 0) state += ranks.length;
        states[patch + i] = state;
        if (!closed) return;
        if (ranks.length === 1) {
          weights[patch + i] = 1;
          tokens[patch + i] = ranks[0]!;
        } else several[patch + i] = 1;
      });
    }
    expect(values.patchState).toEqual(states);
    expect(values.patchToken).toEqual(tokens);
    expect(values.patchWeight).toEqual(weights);
    expect(values.chunkWeights).toEqual(several);
  });

  it('give each byte the state before its token, and the bounds of the tokens that continue its prefix', () => {
    const counted = new Set<number>();
    for (const { text, chunks, start, token, patch } of placed) {
      let [byte, state] = [0, token];
      chunks.forEach(({ ranks, closed, text: chunk }, i) => {
        if (chunk === '') return;
        for (const rank of ranks) {
          const spelled = bytesOf(rank);
          for (let within = 0; within < spelled.length; within++) {
            const at = start + byte;
            counted.add(at);
            expect(values.targetState[at]).toBe(state);
            const bounds = values.targetBounds.subarray(at * 257, (at + 1) * 257);
            const next = text.charCodeAt(byte);
            for (const value of [next, 0, 32, 101, 255]) {
              const wanted = beginning(spelled.slice(0, within) + String.fromCharCode(value));
              expect(bounds[value + 1]! - bounds[value]!).toBe(wanted.length);
              if (wanted.length > 0) expect(bounds[value]).toBe(wanted[0]);
            }
            const own = closed && ranks.length > 1 ? patch + 1 + i : ROWS.length * patches;
            expect(values.chunkOfByte[at]).toBe(own);
            byte++;
          }
          state++;
        }
      });
      expect(byte).toBe(text.length);
    }
    const weights = [...values.targetWeight.entries()].filter(([, weight]) => weight > 0).map(([at]) => at);
    expect(weights).toEqual([...counted].sort((a, b) => a - b));
  });
});

it('a patch’s state, token and targets do not depend on what follows the patch', () => {
  const letters = fc.constantFrom(...'the file of');
  const marks = fc.constantFrom('', '', '', '|', '~');
  const texts = fc.array(fc.tuple(letters, marks), { minLength: 6, maxLength: 30 });
  fc.assert(
    fc.property(texts, fc.nat(), letters, (pairs, place, other) => {
      const at = place % pairs.length;
      const marked = (some: typeof pairs) => parse(some.map((pair) => pair.join('')).join(''));
      const two = pairs.map(([letter, mark], i): (typeof pairs)[number] => [i === at ? other : letter, mark]);
      const [first, second] = [pairs, two].map((some) => fieldsOf([[marked(some)]])) as [
        ReturnType<typeof fieldsOf>,
        ReturnType<typeof fieldsOf>,
      ];
      const cuts = marked(pairs).cuts.filter((cut) => cut <= at).length;
      // The patch of BOS, then those that close before the change.
      for (let patch = 0; patch <= cuts; patch++) {
        const state = first.values.patchState[patch]!;
        expect(second.values.patchState[patch]).toBe(state);
        expect(second.values.sourceIds.subarray(0, state + 1)).toEqual(first.values.sourceIds.subarray(0, state + 1));
      }
      // The targets of bytes whose tokens end before it; the byte of a late cut gets its token from the next patch.
      const { cuts: all, late } = marked(pairs);
      const last = all[cuts - 1] ?? 0;
      const known = last - (late.includes(last) ? 1 : 0);
      const widths = { targetState: 1, targetBounds: 257, targetWeight: 1, chunkOfByte: 1 };
      for (const name of Object.keys(widths) as (keyof typeof widths)[]) {
        const [one, other] = [first, second].map(({ values }) => values[name].subarray(0, known * widths[name]));
        expect(other, name).toEqual(one);
      }
      for (const name of ['patchToken', 'patchWeight', 'chunkWeights'] as const)
        expect(second.values[name].subarray(0, cuts + 1), name).toEqual(first.values[name].subarray(0, cuts + 1));
    }),
  );
});
