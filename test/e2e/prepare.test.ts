import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { preparedDocuments } from '../../src/prepare/index.js';
import { runCli, startCli } from '../support/cli.js';
import { OWN_TEXT, tinyConversion } from '../support/conversions.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-prepare-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

async function json(...args: string[]) {
  const { code, stdout, stderr } = await runCli([...args, '--json']);
  expect([code, stderr]).toEqual([0, stderr]);
  return JSON.parse(stdout);
}

/** About 40 MB of documents that are all different. */
function largeInput(): string {
  const path = join(work, 'large.jsonl');
  const text = 'größer, 東京タワー and more. '.repeat(60);
  writeFileSync(path, Array.from({ length: 20_000 }, (_, i) => `{"text":"${i} ${text}"}\n`).join(''));
  return path;
}

const shardsOf = (out: string) => {
  try {
    return readdirSync(join(out, 'part-00000-of-00001')).filter((name) => name.startsWith('shard-'));
  } catch {
    return [];
  }
};

describe('byteify prepare', () => {
  it('continues after it was killed or interrupted, with the same result, and leaves nothing half-written', async () => {
    const input = largeInput();
    const args = (out: string) => ['prepare', input, '--shard-bytes', '256KiB', '--out', out];
    const whole = await json(...args(join(work, 'whole')));
    expect(whole.documents).toBe(20_000);
    const out = join(work, 'stopped');
    for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
      const before = shardsOf(out).length;
      const { child, finished } = startCli(args(out));
      while (shardsOf(out).length < before + 3 && child.exitCode === null) await setTimeout(5);
      child.kill(signal);
      const { code } = await finished;
      expect(code).toBe({ SIGKILL: null, SIGINT: 130, SIGTERM: 143 }[signal]);
      expect(shardsOf(out).length).toBeGreaterThanOrEqual(before + 3);
      expect(shardsOf(out).length).toBeLessThan(whole.shards);
      if (signal !== 'SIGKILL')
        expect(readdirSync(join(out, 'part-00000-of-00001')).filter((name) => !name.startsWith('shard-'))).toEqual([]);
    }
    const { folder: _out, ...resumed } = await json(...args(out));
    const { folder: _whole, ...expected } = whole;
    expect(resumed).toEqual(expected);
    expect(readFileSync(join(out, 'prepared.json'))).toEqual(readFileSync(join(work, 'whole/prepared.json')));
  });

  it('reads standard input, as an engine that pipes its partitions does', async () => {
    const out = join(work, 'piped');
    for (const part of [0, 1]) {
      const lines = Array.from({ length: 5 }, (_, i) => `{"text":"part ${part}, record ${i}"}\n`).join('');
      const { code } = await runCli(['prepare', '-', '--out', out, '--shard', `${part}/2`], { input: lines });
      expect(code).toBe(0);
    }
    expect(await json('prepare', '--merge', '--out', out)).toMatchObject({ documents: 10, complete: true });
  });

  it('cuts documents with the patcher of a conversion, as `byteify patch` does with that patcher', async () => {
    const { folder } = await tinyConversion();
    const text = join(work, 'text.txt');
    writeFileSync(text, readFileSync(join(OWN_TEXT[0]!, 'README.md.txt')).subarray(0, 3000));
    const out = join(work, 'patched');
    await json('prepare', text, '--patcher', folder, '--out', out);
    const { patch_lengths } = await json('patch', join(folder, 'patcher'), text);
    for await (const { cut } of preparedDocuments(out, { patcher: folder }))
      expect(Array.from(cut!.patchLengths)).toEqual(patch_lengths);
  });

  it('gives training what the text itself gives', async () => {
    const { folder } = await tinyConversion();
    const out = join(work, 'prepared');
    await json('prepare', ...OWN_TEXT, '--shard-bytes', '20KB', '--out', out);
    const steps = [
      ...['data.max_document_bytes=512', 'stages.0.steps=2', 'stages.0.batch_bytes=512', 'stages.0.warmup_steps=1'],
      ...['stages.0.sequence_length=128', 'stages.0.validate_every=2', 'evaluate.validation_bytes=2048'],
    ].flatMap((set) => ['--set', set]);
    const trained = async (name: string, ...data: string[]) => {
      const run = join(work, name);
      const shared = ['finetune', join(folder, 'blt'), '--recipe', 'tiny-paper', ...steps, '--out', run];
      return (await json(...shared, '--data', ...data)).bits_per_byte;
    };
    const expected = await trained('from-text', ...OWN_TEXT);
    expect(expected).toBeGreaterThan(0);
    // By the name of its domain, which is the default one.
    expect(await trained('from-shards', `text=${out}`, '--set', 'data.domains={text: {}}')).toBe(expected);
    expect(readFileSync(join(work, 'from-shards/data/train.bin'))).toHaveLength(0);
  });
});
