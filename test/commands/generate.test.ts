import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const folder = temporaryFolder();
const generate = (...more: string[]) => commandLine('generate', BLT, '--prompt', 'The ', '--max-bytes', '6', ...more);

describe('byteify generate', () => {
  // Most of the time is spent compiling the steps of a model, which is opened twice.
  it('prints one JSON document, for one text or for several with consecutive seeds', async () => {
    const file = join(folder(), 'prompt');
    await writeFile(file, 'The ');
    const several = await generate('--samples', '2', '--seed', '3', '--json');
    const one = await commandLine('generate', BLT, '--prompt-file', file, '--max-bytes', '6', '--seed', '4', '--json');
    expect([several.code, one.code]).toEqual([0, 0]);
    const document = JSON.parse(one.stdout);
    expect(Object.keys(document).sort()).toEqual(['bytes', 'bytes_per_second', 'finish_reason', 'seed', 'text']);
    expect(document.bytes.length).toBeLessThanOrEqual(6);
    expect(document.text).toBe(Buffer.from(document.bytes).toString('utf8'));
    const { samples } = JSON.parse(several.stdout);
    expect(samples.map(({ seed }: { seed: number }) => seed)).toEqual([3, 4]);
    expect(samples[1].bytes).toEqual(document.bytes);
  });

  it.each([
    ['two prompts', ['--prompt-file', 'x'], '--prompt-file'],
    ['a system message without a conversation', ['--system', 'Be brief.'], '--system'],
    ['an empty stop', ['--stop', ''], '--stop'],
    ['raw bytes of several texts', ['--bytes', '--samples', '2'], '--bytes'],
    ['no bytes', ['--max-bytes', '0'], '--max-bytes'],
    ['a negative temperature', ['--temperature', '-1'], '--temperature'],
    ['a probability above one', ['--top-p', '1.5'], '--top-p'],
    ['a probability that is not a number', ['--min-p', 'some'], '--min-p'],
    ['a penalty of zero', ['--repetition-penalty', '0'], '--repetition-penalty'],
    ['too many samples', ['--samples', '65'], '--samples'],
    ['too long a draft', ['--draft', '65'], '--draft'],
    ['a seed that is not a whole number', ['--seed', '1.5'], '--seed'],
    ['another precision', ['--weights', 'int4'], '--weights'],
  ])('refuses %s', async (_what, args, named) => {
    expect(await generate(...args)).toMatchObject(wrongUsage(named));
  });

  it('refuses a conversation with a model that has no chat template', async () => {
    const { code, stdout, stderr } = await generate('--chat');
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/chat template/);
  });
});
