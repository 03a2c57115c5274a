/** A loopback package index with one wheel, and a fake `python3` whose pip refers to it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LIBRARY_FILES, type PinnedWheel } from '../../src/engine/setup/libraries.js';

const run = promisify(execFile);

/** The faults of the next requests, one each; later requests succeed. */
export type WheelFault =
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'status'; readonly status: number };

export interface WheelIndex {
  readonly wheel: PinnedWheel;
  /** The fake python3: `pip install` prints the server's address, `pip download` copies the wheel. */
  readonly python: string;
  /** The Range header of each request. */
  readonly ranges: (string | null)[];
  /** How pip was called. */
  pipCalls(): Promise<string[]>;
  close(): Promise<void>;
}

const MEBIBYTE = 2 ** 20;

/** A zip with two files of incompressible bytes in place of the libraries. */
async function makeWheel(folder: string): Promise<Buffer> {
  const path = join(folder, 'stub.whl');
  const script = `import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    for name in sys.argv[2:]:
        archive.writestr("tensorflow/" + name, os.urandom(${MEBIBYTE}))
    archive.writestr("tensorflow/other.py", "")`;
  await run('python3', ['-c', script, path, ...LIBRARY_FILES]);
  return readFile(path);
}

/** @param options.ranges whether the server supports ranges; @param options.pipDownload whether pip can download. */
export async function startWheelIndex(
  folder: string,
  options: { faults?: readonly WheelFault[]; ranges?: boolean; sha256?: string; pipDownload?: boolean } = {},
): Promise<WheelIndex> {
  const { ranges: honours = true, pipDownload = false } = options;
  await mkdir(folder, { recursive: true });
  const bytes = await makeWheel(folder);
  const faults = [...(options.faults ?? [])];
  const ranges: (string | null)[] = [];
  const server = createServer((request, response) => {
    const range = request.headers.range ?? null;
    ranges.push(range);
    const fault = faults.shift();
    if (fault?.kind === 'status') return void response.writeHead(fault.status).end();
    const start = honours && range !== null ? Number(/^bytes=(\d+)-$/.exec(range)![1]) : 0;
    response.writeHead(start > 0 ? 206 : 200, {
      'content-length': bytes.length - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    if (fault === undefined) return void response.end(bytes.subarray(start));
    // fetch discards what it holds when a connection breaks: let it read everything first.
    const cut = () => setTimeout(() => response.socket?.destroySoon(), 50);
    response.write(bytes.subarray(start, start + fault.afterBytes), cut);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stub.whl`;
  const { stdout: real } = await run('sh', ['-c', 'command -v python3']);
  const [python, log] = [join(folder, 'python3'), join(folder, 'pip.log')];
  const report = JSON.stringify({ install: [{ download_info: { url } }] });
  await writeFile(
    python,
    `#!/bin/sh
[ "$1" = -c ] && exec '${real.trim()}' "$@"
echo "$3" >> '${log}'
case "$3" in
  install) echo '${report}' ;;
  download)
    ${pipDownload ? '' : 'exit 1'}
    while [ "$1" != --dest ]; do shift; done
    mkdir -p "$2" && cp '${join(folder, 'stub.whl')}' "$2" ;;
esac
`,
    { mode: 0o755 },
  );
  const wheel: PinnedWheel = {
    project: 'stub',
    version: '1.0',
    platform: 'any',
    pythonVersion: '311',
    sha256: options.sha256 ?? createHash('sha256').update(bytes).digest('hex'),
    sizeBytes: bytes.length,
    members: LIBRARY_FILES.map((file) => `tensorflow/${file}`),
  };
  return {
    wheel,
    python,
    ranges,
    pipCalls: async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
