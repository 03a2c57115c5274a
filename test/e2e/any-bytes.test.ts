import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Finished, runCli } from '../support/cli.js';
import { OWN_TEXT } from '../support/conversions.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-bytes-'));
const out = join(work, 'mixed');
const images = join(work, 'images');
const SIDE = 4;

/** A BMP of 24 bits per pixel. */
function bitmap(number: number): Buffer {
  const file = Buffer.alloc(54 + SIDE * SIDE * 3);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(SIDE, 18);
  file.writeInt32LE(SIDE, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let i = 54; i < file.length; i++) file[i] = (i * number * 7) % 256;
  return file;
}

const SETS = [
  'data.domains={text: {weight: 1}, images: {kind: bytes, longer_documents: leave_out, weight: 1}}',
  ...['data.max_document_bytes=1024', 'patcher.steps=2', 'patcher.batch_bytes=1024', 'patcher.sequence_length=256'],
  ...['stages.1.steps=2', 'stages.1.batch_bytes=512', 'stages.1.sequence_length=256', 'stages.1.warmup_steps=0'],
  ...['stages.0.text_bytes=4000', 'stages.0.solve_bytes=2000', 'evaluate.validation_bytes=2000'],
].flatMap((set) => ['--set', set]);
const ARGS = ['convert', '--recipe', 'tiny-bytes', ...SETS, '--out', out];

let converted: Finished;
beforeAll(async () => {
  await mkdir(images);
  for (let i = 1; i <= 40; i++) await writeFile(join(images, `${i}.bmp`), bitmap(i));
  await writeFile(join(images, 'large.bmp'), Buffer.alloc(2000, 1));
  converted = await runCli([...ARGS, '--data', ...OWN_TEXT, `images=${images}`, '--json']);
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

describe('a conversion of text and images', () => {
  it('measures each, and says what it left out', async () => {
    expect(converted.code).toBe(0);
    expect(converted.stderr).toMatch(/to train on \(text .+, images .+\), .+ held out/);
    expect(converted.stderr).toMatch(/large\.bmp was left out: it has a document of more than 1,024 bytes/);
    const { metrics } = JSON.parse(await readFile(join(out, 'byteify.json'), 'utf8')).stages.finetune;
    expect(metrics.validation_bits_per_byte).toBe(metrics.validation_bits_per_byte_text);
    expect(metrics.validation_bits_per_byte_images).toBeGreaterThan(0);
    expect(await readFile(join(out, 'blt', 'README.md'), 'utf8')).toContain('validation bits per byte images');
  });

  it('evaluates each domain as a kind, and what both can read beside the source', async () => {
    const evaluate = async (...args: string[]) => {
      const { code, stdout, stderr } = await runCli(['evaluate', out, ...args, '--max-bytes', '4K', '--json']);
      expect([code, stderr]).toEqual([0, stderr]);
      return JSON.parse(stdout).suites as { groups: { group: string }[]; unspelled_count: number }[];
    };
    for (const { groups } of await evaluate('--suite', 'bpb', 'patches', 'cost'))
      expect(groups.map(({ group }) => group).filter((group) => !group.includes(':') && group !== 'all')).toEqual([
        'text',
        'images',
      ]);
    const [beside] = await evaluate('--suite', 'bpb', '--against', 'source');
    expect(beside!.groups.map(({ group }) => group)).toEqual(['text']);
    expect(beside!.unspelled_count).toBeGreaterThan(0);
  });

  it('continues files, which the report decodes', async () => {
    const half = join(work, 'half.bmp');
    await writeFile(half, bitmap(3).subarray(0, 70));
    const { code, stdout } = await runCli([
      ...['generate', out, '--prompt-file', half, '--bytes', '--max-bytes', '32', '--temperature', '1'],
    ]);
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(0);
    const page = join(work, 'report.html');
    expect((await runCli(['report', out, '--out', page])).code).toBe(0);
    const { document } = parseHTML(await readFile(page, 'utf8'));
    const shown = [...document.querySelectorAll('#files img')];
    expect(shown.length).toBeGreaterThan(1);
    expect(shown.every((image) => image.getAttribute('src')!.startsWith('data:image/bmp;base64,'))).toBe(true);
  });

  it('is refused if a domain has no data', async () => {
    const { code, stderr } = await runCli([...ARGS.slice(0, -1), join(work, 'other'), '--data', ...OWN_TEXT]);
    expect(code).toBe(2);
    expect(stderr).toContain('The recipe\'s domain "images" has no data.');
  });
});
