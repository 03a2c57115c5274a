import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BOS, BYTE_OFFSET, encodeBytes, VOCAB_SIZE } from '../../src/blt/index.js';
import { byteTokenizerFiles, loadTokenizer } from '../../src/tokenizer/index.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTokenizer } from './samples.js';

const folder = temporaryFolder();

it('the byte tokenizer is the one that transformers is known to load (blt-format 3.3)', () => {
  const { tokenizerJson, tokenizerConfig, specialTokensMap } = byteTokenizerFiles();
  const read = (name: string) => JSON.parse(readFileSync(goldenPath(name), 'utf8')) as object;
  expect(tokenizerJson).toEqual(read('tokenizer.json'));
  expect(tokenizerConfig).toEqual(read('tokenizer_config.json'));
  expect(tokenizerConfig).toMatchObject(specialTokensMap);
});

it('the byte tokenizer maps bytes to the model’s ids', async () => {
  await writeTokenizer(folder(), byteTokenizerFiles());
  const tokenizer = await loadTokenizer(folder());
  expect([tokenizer.vocabSize, tokenizer.bosId, tokenizer.addsBos]).toEqual([VOCAB_SIZE, BOS, true]);
  for (let byte = 0; byte < 256; byte++) expect([...tokenizer.tokenBytes(byte + BYTE_OFFSET)]).toEqual([byte]);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const ids = tokenizer.encode(text);
      expect(ids).toEqual([...encodeBytes(new TextEncoder().encode(text), { bos: false })]);
      expect(tokenizer.decode(ids)).toBe(text);
    }),
  );
});
