import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ByteifyError } from '../../../src/errors.js';
import { readTrainerState } from '../../../src/finetune/loop/checkpoint.js';
import { ofCheckpoint } from '../../../src/finetune/loop/trainer-state.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const run = temporaryFolder();
const folder = () => join(run(), 'checkpoint-000003');
const state = {
  step: 3,
  packer: { epoch: 0, place: 2, offset: 5, row: 1 },
  room: { patches: 24, tokens: 0 },
  flops: 1e9,
  mode: 'graph',
  metrics: { validation_bits_per_byte: 2 },
  settings: 'digest',
};

async function read(json: unknown): Promise<unknown> {
  await mkdir(folder(), { recursive: true });
  await writeFile(join(folder(), 'trainer_state.json'), typeof json === 'string' ? json : JSON.stringify(json));
  return readTrainerState(run(), 3);
}

it('is what was written, whatever a later version adds', async () => {
  expect(await read({ ...state, later: true })).toEqual(state);
});

it('may say nothing of its mode, as the first ones did', async () => {
  const { mode: _unsaid, ...older } = state;
  expect(await read(older)).toEqual(older);
});

it.each([
  ['no packer', { ...state, packer: null }, 'packer: '],
  ['half a packer', { ...state, packer: { epoch: 0, place: 2, offset: 5 } }, 'packer.row: '],
  ['a place that is none', { ...state, packer: { ...state.packer, place: -1 } }, 'packer.place: '],
  ['an offset that is none', { ...state, packer: { ...state.packer, offset: 0.5 } }, 'packer.offset: '],
  ['text for a number', { ...state, flops: '1e9' }, 'flops: '],
  ['a number that JSON has not', { ...state, flops: Number.NaN }, 'flops: '],
  ['another mode', { ...state, mode: 'fast' }, 'mode: '],
  ['no settings', { ...state, settings: undefined }, 'settings: '],
  ['room that is missing', { ...state, room: { patches: 24 } }, 'room.tokens: '],
  ['a list', [], 'top level: '],
])('is refused with %s', async (_what, json, where) => {
  await expect(read(json)).rejects.toMatchObject({
    message: expect.stringContaining(
      `${join(folder(), 'trainer_state.json')} is not the state of a training run: ${where}`,
    ),
    hint: expect.stringMatching(new RegExp(`^Remove ${folder()}: the run then resumes from the checkpoint before it`)),
  });
});

it.each([
  ['', 'is empty'],
  ['{"step": 3, "packer"', 'is not JSON: it is truncated'],
  [JSON.stringify({ ...state, step: 4 }), 'is of step 4, not of step 3'],
])('is refused when it holds %j', async (text, reason) => {
  await expect(read(text)).rejects.toThrow(reason);
});

it('is missed by its name', async () => {
  await mkdir(folder());
  await expect(readTrainerState(run(), 3)).rejects.toThrow(`${join(folder(), 'trainer_state.json')} is missing.`);
});

it('what is wrong with a file of the checkpoint comes with the way out', async () => {
  const wrong = Promise.reject(new ByteifyError('x is cut short.', { hint: 'Download it again.' }));
  await expect(ofCheckpoint('run/checkpoint-000003', wrong)).rejects.toMatchObject({
    message: 'x is cut short.',
    hint: expect.stringContaining('Remove run/checkpoint-000003'),
  });
  const fault = new TypeError('a fault of our own');
  await expect(ofCheckpoint('run', Promise.reject(fault))).rejects.toBe(fault);
});
