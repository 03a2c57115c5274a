import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { transferFile } from '../../src/net/transfer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const CONTENT = 'twelve bytes';

/** Answers in turn; a string is a whole body. */
async function transfer(answers: readonly (string | Response)[], options: { content?: string; part?: string } = {}) {
  const { content = CONTENT, part } = options;
  const blob = join(folder(), 'blob');
  if (part !== undefined) await writeFile(`${blob}.incomplete`, part);
  const asked: (string | null)[] = [];
  let waits = 0;
  await transferFile({
    name: 'file',
    url: 'http://hub/file',
    path: blob,
    sizeBytes: content.length,
    digest: { kind: 'sha256', hex: createHash('sha256').update(content).digest('hex') },
    folderVariable: 'HF_HOME',
    fetch: async (_url, init) => {
      const answer = answers[asked.length];
      asked.push(new Headers(init?.headers).get('range'));
      if (answer === undefined) throw new Error('nothing more was to be asked');
      return typeof answer === 'string' ? new Response(answer) : answer;
    },
    sleep: async () => {
      waits += 1;
    },
    refuse: ({ status }) => new Error(`refused: ${status}`),
    mismatch: () => new Error('the digest is wrong'),
  });
  return { asked, waits, text: await readFile(blob, 'utf8'), names: await readdir(folder()) };
}

const partial = (body: string, contentRange: string) =>
  new Response(body, { status: 206, headers: { 'content-range': contentRange } });

it('nothing is requested if the part is complete, or the file empty', async () => {
  expect(await transfer([], { part: CONTENT })).toEqual({ asked: [], waits: 0, text: CONTENT, names: ['blob'] });
  expect(await transfer([], { content: '' })).toEqual({ asked: [], waits: 0, text: '', names: ['blob'] });
});

it('the rest of a partial file is requested', async () => {
  const rest = partial('bytes', 'bytes 7-11/12');
  expect(await transfer([rest], { part: 'twelve ' })).toMatchObject({ asked: ['bytes=7-'], text: CONTENT });
});

it.each([
  ['another range', partial('elve bytes', 'bytes 2-11/12')],
  ['a range that it does not name', new Response('bytes', { status: 206 })],
  ['a range of another file', partial('bytes?', 'bytes 7-12/13')],
  ['416', new Response(null, { status: 416 })],
])('a transfer restarts if the server responds with %s', async (_name, answer) => {
  expect(await transfer([answer, CONTENT], { part: 'twelve ' })).toMatchObject({
    asked: ['bytes=7-', null],
    text: CONTENT,
  });
});

it('a transfer restarts if the part is longer than the file', async () => {
  expect(await transfer([CONTENT], { part: `${CONTENT}!` })).toMatchObject({ asked: [null], text: CONTENT });
});

it('a body that is longer than the file is refused', async () => {
  await expect(transfer([`${CONTENT}!`, `${CONTENT}!`])).rejects.toThrow('the digest is wrong');
  expect(await readdir(folder())).toEqual([]);
});

it('a transfer gives up after empty responses', async () => {
  await expect(transfer(['', '', '', '', '', '', ''])).rejects.toThrow('repeatedly: the server closed the connection.');
});

it('only attempts without progress are counted', async () => {
  const answers = [...CONTENT].map((letter, i) => partial(letter, `bytes ${i}-${i}/12`));
  expect(await transfer(answers)).toMatchObject({ text: CONTENT, waits: 0 });
});
