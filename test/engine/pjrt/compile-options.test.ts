import { expect, it } from 'vitest';
import { encodeCompileOptions } from '../../../src/engine/pjrt/compile-options.js';
import { readNamedValues, writeNamedValues } from '../../../src/engine/pjrt/named-values.js';
import { createArena } from '../../../src/engine/pjrt/native-memory.js';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

it('a program for one device: executable_build_options with device_ordinal -1, one replica, one partition', () => {
  expect(hex(encodeCompileOptions({}))).toBe('1a0f08ffffffffffffffffff0120012801');
});

it('partitions are made by Shardy', () => {
  expect(hex(encodeCompileOptions({ partitions: 8 }))).toBe('1a1408ffffffffffffffffff012001280830019801' + '01');
});

it('XLA’s options are overrides of their types', () => {
  const encoded = encodeCompileOptions({ xla: { a: true, b: 3n, c: 'x' } });
  expect(hex(encoded).slice(34)).toBe('3a070a016112021001' + '3a070a016212021803' + '3a080a016312030a0178');
});

it('named values are read as they were written', () => {
  const arena = createArena();
  const values = { text: 'héllo', whole: -7n, part: 0.5, flag: true, list: [1n, -2n], empty: '' };
  const { at, count } = writeNamedValues(arena, values);
  expect(readNamedValues(at, count)).toEqual(values);
  arena.free();
});
