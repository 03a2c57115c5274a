import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ByteifyError } from '../../../src/errors.js';
import { readTrainerState } from '../../../src/finetune/loop/checkpoint.js';
import { withCheckpointHint } from '../../../src/finetune/loop/trainer-state.js';
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

it('readTrainerState returns what was written and ignores unknown keys', async () => {
  expect(await read({ ...state, later: true })).toEqual(state);
});

it('readTrainerState accepts an old file without a mode', async () => {
  const { mode: _unsaid, ...older } = state;
  expect(await read(older)).toEqual(older);
});

it.each([
  ['no packer', { ...state, packer: null }, 'packer: '],
  ['an incomplete packer', { ...state, packer: { epoch: 0, place: 2, offset: 5 } }, 'packer.row: '],
  ['a negative place', { ...state, packer: { ...state.packer, place: -1 } }, 'packer.place: '],
  ['a fractional offset', { ...state, packer: { ...state.packer, offset: 0.5 } }, 'packer.offset: '],
  ['a string instead of a number', { ...state, flops: '1e9' }, 'flops: '],
  ['NaN', { ...state, flops: Number.NaN }, 'flops: '],
  ['an unknown mode', { ...state, mode: 'fast' }, 'mode: '],
  ['no settings', { ...state, settings: undefined }, 'settings: '],
  ['an incomplete room', { ...state, room: { patches: 24 } }, 'room.tokens: '],
  ['an array', [], 'top level: '],
])('readTrainerState refuses a file with %s', async (_what, json, where) => {
  await expect(read(json)).rejects.toMatchObject({
    message: expect.stringContaining(
      `${join(folder(), 'trainer_state.json')} is not the state of a training run: ${where}`,
    ),
    hint: expect.stringMatching(new RegExp(`^Remove ${folder()}\\. The run then resumes from the previous checkpoint`)),
  });
});

it.each([
  ['', 'is empty'],
  ['{"step": 3, "packer"', 'is not JSON: it is truncated'],
  [JSON.stringify({ ...state, step: 4 }), 'is from step 4, not from step 3'],
])('readTrainerState refuses a file that contains %j', async (text, reason) => {
  await expect(read(text)).rejects.toThrow(reason);
});

it('readTrainerState names the missing file', async () => {
  await mkdir(folder());
  await expect(readTrainerState(run(), 3)).rejects.toThrow(`${join(folder(), 'trainer_state.json')} is missing.`);
});

it('withCheckpointHint keeps the message and tells how to continue without the checkpoint', async () => {
  const wrong = Promise.reject(new ByteifyError('x is cut short.', { hint: 'Download it again.' }));
  await expect(withCheckpointHint('run/checkpoint-000003', wrong)).rejects.toMatchObject({
    message: 'x is cut short.',
    hint: expect.stringContaining('Remove run/checkpoint-000003'),
  });
  const fault = new TypeError('an internal error');
  await expect(withCheckpointHint('run', Promise.reject(fault))).rejects.toBe(fault);
});
