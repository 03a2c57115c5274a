import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withoutControls } from '../../src/ui/index.js';
import { CHATML } from '../support/chat-templates.js';
import { runCli, startCli } from '../support/cli.js';
import { longGolden } from '../support/long-golden.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-generate-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const model = join(work, 'model');
const PROMPT = 'To be, or not – ';

interface Sample {
  readonly text: string;
  readonly bytes: number[];
  readonly finish_reason: string;
  readonly seed: number;
}

type Document = Sample & { readonly bytes_per_second: number; readonly samples: Sample[] };

const generate = (...args: string[]) => runCli(['generate', model, ...args]);

async function json(...args: string[]): Promise<Document> {
  const { code, stdout, stderr } = await generate('--json', ...args);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

/** How bytes are shown without --json. */
const shownOf = (bytes: readonly number[]): string => {
  const valid = (text: string) => (text.includes('\uFFFD') ? null : text);
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const found = [1, 2, 3, 4]
      .filter((length) => at + length <= bytes.length)
      .map((length) => ({ length, character: valid(Buffer.from(bytes.slice(at, at + length)).toString('utf8')) }))
      .find(({ character }) => character !== null);
    text += found?.character ?? `\\x${bytes[at]!.toString(16).padStart(2, '0')}`;
    at += found?.length ?? 1;
  }
  return withoutControls(text);
};

let whole: Document;
beforeAll(async () => {
  await longGolden(model);
  whole = await json('--prompt', PROMPT, '--max-bytes', '40', '--seed', '5');
});

describe('byteify generate', () => {
  it('prints one JSON document', () => {
    expect(Object.keys(whole)).toEqual(['text', 'bytes', 'finish_reason', 'seed', 'bytes_per_second']);
    expect(whole).toMatchObject({ finish_reason: 'length', seed: 5 });
    expect(whole.bytes.length).toBe(40);
    expect(whole.bytes_per_second).toBeGreaterThan(0);
    // With random weights hardly any bytes are valid UTF-8, and some are control characters.
    expect(shownOf(whole.bytes)).toMatch(/\\x[01]/);
    expect(whole.text).toContain('\uFFFD');
    const ascii = (characters: readonly string[]) => characters.filter((character) => character < '\u0080').join('');
    expect(ascii([...whole.text])).toBe(ascii(whole.bytes.map((byte) => String.fromCharCode(byte))));
  });

  it('writes the same text after a prompt from a file or stdin, with drafts, and without --json', async () => {
    const file = join(work, 'prompt.txt');
    await writeFile(file, PROMPT);
    const rest = ['--max-bytes', '40', '--seed', '5'];
    for (const [args, options] of [
      [['--prompt-file', file], {}],
      [[], { input: PROMPT }],
      [['--prompt', PROMPT, '--draft', '4'], {}],
    ] as const) {
      const { code, stdout, stderr } = await runCli(['generate', model, ...args, ...rest], options);
      expect(code, stderr).toBe(0);
      expect(stdout).toBe(`${shownOf(whole.bytes)}\n`);
      expect(stderr).toMatch(/^Opening the model/);
      expect(stderr).toMatch(/\d bytes\/s\n$/);
    }
  });

  it('writes raw bytes with --bytes', async () => {
    const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
    const args = ['generate', model, '--prompt', PROMPT, '--max-bytes', '40', '--seed', '5', '--bytes'];
    const { stdout } = await promisify(execFile)(process.execPath, [cli, ...args], { encoding: 'buffer' });
    expect([...stdout]).toEqual(whole.bytes);
  });

  it('takes the most likely bytes at temperature 0, whatever the seed, and samples otherwise', async () => {
    const [a, b] = [
      await json('--prompt', 'a', '--max-bytes', '12', '--temperature', '0'),
      await json('--prompt', 'a', '--max-bytes', '12', '--temperature', '0', '--seed', '9'),
    ];
    expect(a.bytes).toEqual(b.bytes);
    const other = await json('--prompt', PROMPT, '--max-bytes', '40', '--seed', '6');
    expect(other.bytes).not.toEqual(whole.bytes);
  });

  it('writes several samples, of which the first is that of the seed', async () => {
    const args = ['--prompt', PROMPT, '--max-bytes', '40', '--seed', '5', '--samples', '2'];
    const { samples, bytes_per_second } = await json(...args);
    expect(samples.map(({ seed }) => seed)).toEqual([5, 6]);
    expect(samples[0]!.bytes).toEqual(whole.bytes);
    expect(samples[1]!.bytes).not.toEqual(whole.bytes);
    expect(bytes_per_second).toBeGreaterThan(0);
    const { stdout } = await generate(...args);
    expect(stdout).toBe(samples.map(({ seed, bytes }) => `--- seed ${seed}\n${shownOf(bytes)}\n`).join(''));
  });

  it('stops before a stop string', async () => {
    // The first two adjacent bytes that a command line can contain.
    const at = whole.bytes.findIndex(
      (byte, i) => i > 0 && [byte, whole.bytes[i + 1]!].every((b) => b > 0x20 && b < 0x7f),
    );
    expect(at).toBeGreaterThan(0);
    const stop = Buffer.from(whole.bytes.slice(at, at + 2)).toString();
    const stopped = await json(
      '--prompt',
      PROMPT,
      '--max-bytes',
      '40',
      '--seed',
      '5',
      '--stop',
      'never',
      '--stop',
      stop,
    );
    expect(stopped).toMatchObject({ bytes: whole.bytes.slice(0, at), finish_reason: 'stop' });
  });

  it('renders a message in the chat template of the model', async () => {
    const chatting = await longGolden(join(work, 'chatting'));
    await writeFile(join(chatting, 'chat_template.jinja'), CHATML);
    const args = ['--max-bytes', '10', '--temperature', '0', '--json'];
    const found = await runCli(['generate', chatting, '--prompt', 'Hi', '--chat', '--system', 'Be brief.', ...args]);
    expect(found.code, found.stderr).toBe(0);
    const rendered = '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n';
    const plain = await runCli(['generate', chatting, '--prompt', rendered, ...args]);
    expect(JSON.parse(found.stdout).bytes).toEqual(JSON.parse(plain.stdout).bytes);
  });

  it.each([
    ['--chat without a template', ['--prompt', 'Hi', '--chat'], /has no chat template/],
    ['--system without --chat', ['--prompt', 'Hi', '--system', 'x'], /--system applies only to a conversation/],
    ['two prompts', ['--prompt', 'Hi', '--prompt-file', 'x'], /cannot be combined/],
    ['a prompt file that does not exist', ['--prompt-file', 'nowhere.txt'], /nowhere\.txt does not exist/],
    ['no prompt', [], /Standard input is empty/],
    ['an empty stop string', ['--prompt', 'Hi', '--stop', ''], /--stop is empty/],
    ['--bytes of several', ['--prompt', 'Hi', '--bytes', '--samples', '2'], /--bytes writes only one text/],
    ['--temperature', ['--temperature', '-1'], /--temperature must be a number of at least 0, not "-1"/],
    ['--temperature', ['--temperature', 'Infinity'], /--temperature must be a number/],
    ['--top-k', ['--top-k', '1.5'], /--top-k must be a whole number/],
    ['--top-p', ['--top-p', '1.1'], /--top-p must be a number from 0 to 1/],
    ['--min-p', ['--min-p', ''], /--min-p must be a number from 0 to 1/],
    ['--repetition-penalty', ['--repetition-penalty', '0'], /--repetition-penalty must be a number above zero/],
    ['--max-bytes', ['--max-bytes', '0'], /--max-bytes must be a whole number of at least 1/],
    ['--samples', ['--samples', '65'], /--samples must be a whole number from 1 to 64/],
    ['--draft', ['--draft', '65'], /--draft must be a whole number from 0 to 64/],
    ['--seed', ['--seed', '-1'], /--seed must be a whole number/],
  ])('refuses %s in one sentence with a hint', async (_, args, reason) => {
    const { code, stdout, stderr } = await generate(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(reason);
    // Before the model is opened.
    expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
  });

  it('refuses a prompt that fills the model’s maximum length', async () => {
    const { code, stdout, stderr } = await generate('--prompt', 'x'.repeat(4096));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      /error: The prompt is 4096 bytes long; prompt and generated text together are limited to 4095 bytes[^\n]+\nhint: [^\n]+\n$/,
    );
  });

  const startLongText = () =>
    startCli(['generate', model, '--prompt', 'x', '--max-bytes', '4000', '--seed', '1', '--top-k', '2']);

  it('stops on Ctrl-C and exits with 130', async () => {
    const running = startLongText();
    await once(running.child.stdout!, 'data');
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.finished;
    expect(code).toBe(130);
    expect(stderr).toMatch(/^Stopped by SIGINT\.$/m);
    expect(stdout.length).toBeGreaterThan(0);
    expect(stderr).not.toMatch(/\n\s+at |error:/);
  });

  it('exits quietly and quickly if nobody reads on', async () => {
    const running = startLongText();
    await once(running.child.stdout!, 'data');
    const begun = performance.now();
    running.child.stdout!.destroy();
    const { code, stderr } = await running.finished;
    expect(code).toBe(0);
    expect(stderr).not.toMatch(/EPIPE|error|\n\s+at /);
    const tookMs = performance.now() - begun;
    // At the rate printed on stderr, all 4,000 bytes would have taken twice this long; no rate is printed if it ended at once.
    const rate = Number(/^([\d.]+) bytes\/s$/m.exec(stderr)?.[1] ?? 0);
    expect(tookMs).toBeLessThan((1000 * 4000) / rate / 2);
  });
});
