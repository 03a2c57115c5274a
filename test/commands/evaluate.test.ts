import { existsSync } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { resultSchema } from '../../src/evaluate/index.js';
import { commandLine, wrongUsage } from '../support/command-line.js';
import { goldenPath } from '../support/golden.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const BLT = goldenPath('plain/blt');
const folder = temporaryFolder();
let [prose, lines, out] = ['', '', ''];
beforeEach(async () => {
  prose = join(folder(), 'prose');
  lines = join(folder(), 'lines.jsonl');
  out = join(folder(), 'evaluation');
  await mkdir(prose);
  await writeFile(join(prose, 'one.txt'), 'The first document.');
  await writeFile(join(prose, 'two.txt'), 'The second.');
  await writeFile(lines, '{"body":"A third one."}\n');
});

const evaluate = (...args: string[]) => commandLine('evaluate', BLT, '--out', out, ...args);

async function documentsOf(...args: string[]) {
  const { code, stdout, stderr } = await evaluate(...args, '--json');
  expect([code, stderr]).toEqual([0, stderr]);
  return (JSON.parse(stdout).suites as unknown[]).map((one) => resultSchema.parse(one));
}

describe('byteify evaluate', () => {
  it('measures bits per byte of each path, and prints what it writes', async () => {
    const args = ['--data', prose, lines, '--text-key', 'body'];
    const [document] = await documentsOf(...args);
    expect(JSON.parse(await readFile(join(out, 'bpb.json'), 'utf8'))).toEqual(document);
    expect(document!.groups.map(({ group, items }) => [group, items])).toEqual([
      ['prose', 2],
      ['lines', 1],
      ['all', 3],
    ]);
    const table = await evaluate(...args);
    for (const { metrics } of document!.groups) {
      const { value } = metrics.bits_per_byte!.model;
      // An untrained model predicts almost nothing: about eight bits per byte.
      expect(Math.abs(value! - Math.log2(260))).toBeLessThan(1);
      expect(metrics.bytes_per_step!.model.value).toBeGreaterThanOrEqual(1);
      expect(metrics.bits_per_byte!.retention).toBeNull();
      expect(table.stdout).toContain(value!.toFixed(4));
    }
  });

  it('measures a source on the same items, and what the model retains of it', async () => {
    const args = ['--data', prose, lines, '--text-key', 'body', '--against', 'builtin:tiny-llama'];
    const [document] = await documentsOf(...args);
    expect(document!.source).toMatchObject({ name: 'builtin:tiny-llama', quantised_types: [] });
    const table = await evaluate(...args);
    for (const { metrics } of document!.groups) {
      const { model, source, retention } = metrics.bits_per_byte!;
      expect(retention!.value).toBeCloseTo(source!.value! / model.value!, 6);
      expect(retention!.value).toBeLessThan(1);
      expect(table.stdout).toContain(`${(100 * retention!.value!).toFixed(1)} %`);
    }
    expect(table.stdout).not.toContain('quantised');
  });

  it('runs several suites, with their settings, and keeps the answers', async () => {
    const args = ['--suite', 'choice', 'cute', 'bias', '--limit', '1', '--set', 'choice.shots=1'];
    const found = await documentsOf(...args);
    expect(found.map(({ suite }) => suite)).toEqual(['cute', 'choice', 'bias']);
    expect(found[1]!.options.settings).toMatchObject({ shots: '1', noise: 'none' });
    const answers = await readdir(join(out, 'answers'));
    expect(answers.map((name) => name.split('-')[0]).sort()).toEqual(['bias', 'choice', 'cute']);
    expect(await documentsOf(...args)).toEqual(found);
    // Other settings are other items.
    await documentsOf('--suite', 'choice', '--limit', '1');
    expect((await readdir(join(out, 'answers'))).length).toBe(4);
  });

  it('answers items in parts, and computes the same from them', async () => {
    const args = ['--data', prose, lines, '--text-key', 'body', '--against', 'builtin:tiny-llama'];
    const [alone] = await documentsOf(...args, '--out', join(folder(), 'alone'));
    for (const shard of ['1/2', '0/2']) {
      const { code, stdout } = await evaluate(...args, '--shard', shard);
      expect([code, stdout]).toEqual([0, expect.stringContaining('the same command without --shard')]);
    }
    expect((await readdir(join(out, 'parts'))).sort()).toEqual(['0-of-2', '1-of-2']);
    expect(await readdir(out)).not.toContain('bpb.json');
    // A process that was killed while it wrote leaves an incomplete line.
    const answers = join(out, 'parts', '0-of-2', 'answers');
    const [file] = (await readdir(answers)).filter((name) => name.startsWith('bpb-model-'));
    await appendFile(join(answers, file!), '{"id":');
    expect(await documentsOf(...args)).toEqual([alone]);
  });

  it('refuses to divide what asks nothing, and leaves no folder behind', async () => {
    const found = await evaluate('--suite', 'patches', '--data', prose, '--shard', '0/2');
    expect(found).toMatchObject(wrongUsage('The suite patches asks a model nothing, so there is nothing to divide.'));
    const empty = await evaluate('--data', join(folder(), 'missing'), '--shard', '0/2');
    expect([empty.code, empty.stderr]).toEqual([2, expect.stringContaining('missing')]);
    expect(existsSync(out)).toBe(false);
  });

  it('measures patches and costs beside the source’s tokens', async () => {
    const text = join(folder(), 'text.txt');
    await writeFile(text, 'Ein Satz. Привет, мир! 日本語のテキスト。');
    const args = ['--suite', 'patches', 'cost', '--data', text, '--against', 'builtin:tiny-llama'];
    const [patches, cost] = await documentsOf(...args);
    expect(patches!.groups.map(({ group }) => group)).toEqual(['text', 'script: Japanese']);
    const {
      bytes_per_step: perStep,
      cut_precision: precision,
      inside_character_cuts: inside,
    } = patches!.groups[0]!.metrics;
    expect(perStep!.model.value).toBeGreaterThanOrEqual(1);
    expect(precision!.model.value).toBeLessThanOrEqual(1);
    expect(inside!.model.value).toBeLessThanOrEqual(1);
    const costs = cost!.groups[0]!.metrics;
    expect(costs.large_steps_per_byte!.model.value).toBeCloseTo(1 / perStep!.model.value!, 6);
    expect(costs.large_steps_per_byte!.source!.value).toBeCloseTo(1 / perStep!.source!.value!, 6);
    expect(costs.megaflops_per_byte!.model.value).toBeGreaterThan(0);
  });

  it('names text that is left out', async () => {
    await writeFile(lines, '{"body":"A third one."}\n{"other":1}\n');
    const [document] = await documentsOf('--data', lines, '--text-key', 'body');
    expect(document!.refused_count).toBe(1);
    expect(document!.refused).toEqual([expect.objectContaining({ path: lines, line: 2 })]);
  });

  it('refuses a source that a checkpoint does not have, and one that does not exist', async () => {
    const own = await evaluate('--data', prose, '--against', 'source');
    expect([own.code, own.stderr]).toEqual([2, expect.stringContaining('its source is unknown')]);
    const missing = join(folder(), 'missing.gguf');
    const { code, stderr } = await evaluate('--data', prose, '--against', missing);
    expect([code, stderr]).toEqual([2, expect.stringContaining(missing)]);
  });

  it.each([
    [['--suite', 'spelling'], '--suite'],
    [['--suite', 'g2p'], 'The suite g2p needs --data: cmudict.dict'],
    [['--suite', 'bias', '--data', 'x'], 'The suite bias makes its own items'],
    [['--suite', 'choice', '--set', 'choice.shot=1'], '--set choice.shot=1 names no setting'],
    [['--set', 'choice.shots=1'], '--set choice.shots=1 names no setting'],
    [['--suite', 'choice', '--set', 'choice.shots=many'], 'shots must be a whole number'],
    [['--limit', '0'], '--limit'],
    [['--shard', '2/2'], 'counted from 0'],
    [['--max-bytes', 'much'], '--max-bytes'],
  ])('refuses %j', async (args, reason) => {
    expect(await evaluate(...args)).toMatchObject(wrongUsage(reason));
  });

  it.each(['choice', 'g2p'])('names a folder where the suite %s reads a file', async (suite) => {
    const { code, stderr } = await evaluate('--suite', suite, '--data', prose);
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${prose} is a folder where a file is needed.`)]);
  });

  it('requires text for a plain checkpoint, and names paths that do not exist', async () => {
    const bare = await evaluate();
    expect(bare).toMatchObject({ code: expect.any(Number), stdout: '', stderr: expect.stringContaining('--data') });
    expect(bare.code).toBeGreaterThan(0);
    const missing = join(folder(), 'missing');
    const { code, stderr } = await evaluate('--data', missing);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(missing);
    const empty = join(folder(), 'empty.txt');
    await writeFile(empty, '');
    const nothing = await evaluate('--data', empty);
    expect([nothing.code, nothing.stderr]).toEqual([1, expect.stringContaining('There is nothing to measure')]);
  });
});
