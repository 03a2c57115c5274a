import { connect, createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { readFrames, writeFrame } from '../../src/group/frames.js';

/** Two ends of a connection. */
async function pair(): Promise<[Socket, Socket, () => void]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect((server.address() as { port: number }).port, '127.0.0.1');
  const far = await accepted;
  return [
    near,
    far,
    () => {
      near.destroy();
      server.close();
    },
  ];
}

it('frames arrive whole and in order, however they are cut on the way', async () => {
  const [near, far, close] = await pair();
  const found: { header: unknown; size: number; last: number | undefined }[] = [];
  const done = new Promise<void>((resolve, reject) =>
    readFrames(
      far,
      ({ header, body }) => {
        found.push({ header, size: body.length, last: body.at(-1) });
        if (found.length === 4) resolve();
      },
      reject,
    ),
  );
  writeFrame(near, { a: 1 });
  writeFrame(near, { b: 'ü' }, new Uint8Array(3_000_000).fill(7));
  writeFrame(near, { c: [] }, Uint8Array.of(1, 2));
  // One byte at a time.
  const bytes: Buffer[] = [];
  writeFrame({ cork() {}, uncork() {}, write: (part: Buffer) => bytes.push(part) } as unknown as Socket, { d: 2 });
  for (const byte of Buffer.concat(bytes)) near.write(Uint8Array.of(byte));
  await done;
  close();
  expect(found).toEqual([
    { header: { a: 1 }, size: 0, last: undefined },
    { header: { b: 'ü' }, size: 3_000_000, last: 7 },
    { header: { c: [] }, size: 2, last: 2 },
    { header: { d: 2 }, size: 0, last: undefined },
  ]);
});

it('what is no frame is a fault', async () => {
  const [near, far, close] = await pair();
  const fault = new Promise<Error>((resolve) => readFrames(far, () => undefined, resolve));
  near.write(Buffer.from([4, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]));
  expect(await fault).toBeInstanceOf(SyntaxError);
  close();
});
