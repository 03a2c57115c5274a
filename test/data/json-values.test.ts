import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonValues } from '../../src/data/json-values.js';
import { inChunks, someLengths } from '../support/archives.js';

async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

async function split(text: string, lengths: readonly number[] = [1 << 20]) {
  const found: { value: unknown; line: number }[] = [];
  for await (const { bytes, line } of jsonValues(each(inChunks([...Buffer.from(text)], lengths))))
    found.push({ value: JSON.parse(Buffer.from(bytes).toString()), line });
  return found;
}

const records = fc.array(
  fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.jsonValue({ depthSize: 'small' }), { maxKeys: 4 }),
  { minLength: 1, maxLength: 5 },
);
const indent = fc.constantFrom(undefined, 2, '\t');

describe('JSON values', () => {
  it('are the elements of an array, however it is formatted and split into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 6 }),
        indent,
        someLengths,
        async (values, space, lengths) => {
          const text = JSON.stringify(values, null, space);
          const found = await split(text, lengths);
          expect(found.map(({ value }) => value)).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it('are consecutive values, each with the line on which it begins', async () => {
    await fc.assert(
      fc.asyncProperty(records, indent, someLengths, async (values, space, lengths) => {
        const texts = values.map((value) => JSON.stringify(value, null, space));
        const found = await split(`\n${texts.join('\n')}\n`, lengths);
        expect(found.map(({ value }) => value)).toEqual(texts.map((text) => JSON.parse(text)));
        let line = 2;
        for (const [i, text] of texts.entries()) {
          expect(found[i]!.line).toBe(line);
          line += text.split('\n').length;
        }
      }),
    );
  });

  it('are refused if the file ends inside one, or inside the array', async () => {
    const text = '[\n{"text": "a]"},\n{"text": "b\\""}\n]';
    for (let cut = 1; cut < text.length; cut++)
      await expect(split(text.slice(0, cut))).rejects.toThrow('its JSON is truncated');
    await expect(split('{"a": [1, 2}')).rejects.toThrow('truncated');
    expect(await split(`${text}  \n`)).toHaveLength(2);
  });

  it('are refused if text follows the array, with its line', async () => {
    await expect(split('[{"a": 1}]\n\n{"a": 2}')).rejects.toMatchObject({
      message: 'there is text after the end of its JSON array',
      line: 3,
    });
  });
});
