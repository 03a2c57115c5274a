import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { llamaTensors, parseLlamaConfig } from '../../src/llama/index.js';
import { runCli } from '../support/cli.js';
import { smollm2Gguf } from '../support/conversions.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-memory-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const LIMIT_BYTES = 700e6;
const REPORTER = new URL('../support/report-memory.mjs', import.meta.url);

/** A Llama of 2 GB in bfloat16 in a sparse file of zeros: its 900 MB of layers are read without using disk space. */
async function hollowLlama(): Promise<string> {
  const folder = join(work, 'llama');
  await mkdir(folder);
  const json = {
    model_type: 'llama',
    vocab_size: 128_256,
    hidden_size: 2048,
    num_hidden_layers: 8,
    num_attention_heads: 16,
    intermediate_size: 6144,
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(json));
  let end = 0;
  const entries = llamaTensors(parseLlamaConfig(json, 'config.json')).map(({ name, shape }) => {
    const begin = end;
    end += 2 * shape.reduce((a, b) => a * b);
    return [name, { dtype: 'BF16', shape, data_offsets: [begin, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  await file.write(Buffer.concat([length, header]));
  await file.truncate(8 + header.length + end);
  await file.close();
  return folder;
}

/** The output of `byteify remap` and its peak memory. */
async function remapped(source: string, sets: readonly string[]): Promise<{ bytes: number; peakBytes: number }> {
  const [out, memory] = [join(work, 'out'), join(work, 'memory')];
  const args = ['remap', source, '--out', out, '--json', ...sets.flatMap((set) => ['--set', set])];
  const env = { NODE_OPTIONS: `--import=${REPORTER}`, MEMORY_FILE: memory };
  const { code, stdout, stderr } = await runCli(args, { env });
  expect(stderr).not.toMatch(/^Error/m);
  expect(code).toBe(0);
  rmSync(out, { recursive: true });
  return { bytes: JSON.parse(stdout).total_bytes, peakBytes: Number(await readFile(memory, 'utf8')) };
}

it.each<[string, () => Promise<string>, string[]]>([
  ['a folder in bfloat16', hollowLlama, ['blt.hidden_size=128', 'blt.cross_attn_k=2', 'blt.hash_vocab=200000']],
  ['a quantised GGUF', smollm2Gguf, ['blt.hidden_size=96', 'blt.cross_attn_k=2', 'blt.hash_vocab=200000']],
])('remap of %s takes less than 700 MB of memory, whatever it reads and writes', async (_what, source, sets) => {
  const { bytes, peakBytes } = await remapped(await source(), sets);
  expect(bytes).toBeGreaterThan(LIMIT_BYTES);
  expect(peakBytes).toBeLessThan(LIMIT_BYTES);
});
