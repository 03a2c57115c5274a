import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let build = '';
let folder = '';

beforeAll(() => {
  // A separate build, because `dist` may be older than the sources. Types are checked elsewhere. The compiled files find their packages through the link.
  build = mkdtempSync(join(tmpdir(), 'byteify-build-'));
  folder = mkdtempSync(join(tmpdir(), 'byteify-test-'));
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--noCheck', '--outDir', join(build, 'dist')], {
    cwd: root,
  });
  symlinkSync(join(root, 'node_modules'), join(build, 'node_modules'));
  symlinkSync(join(root, 'package.json'), join(build, 'package.json'));
});
afterAll(() => {
  rmSync(build, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(build, 'dist', 'cli.js'), ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, ...env },
  });
}

async function finished(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    text.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    text.stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}

describe('the executable', () => {
  it('prints its version and help quickly', async () => {
    const version = await finished(start(['--version']));
    expect(version).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' });
    const help = await finished(start(['--help']));
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain('doctor');
  });

  it('shows examples in the help of every verb', async () => {
    const { stdout } = await finished(start(['--help']));
    const verbs = [...(stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1] ?? '');
    expect(verbs.length).toBeGreaterThan(5);
    for (const verb of verbs.filter((name) => name !== 'help')) {
      const help = await finished(start([verb, '--help']));
      expect(help, verb).toMatchObject({ code: 0, stderr: '' });
      expect(help.stdout, verb).toMatch(/Examples:\n {2}\$ byteify |Commands:/);
    }
  });

  it('exits with 2 for wrong usage and 1 for failures, both without a stack', async () => {
    const wrong = await finished(start(['inspect']));
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    const failed = await finished(start(['doctor', '--json'], { BYTEIFY_HOME: folder }));
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ ready: false });
    for (const { stderr } of [wrong, failed]) {
      expect(stderr).toMatch(/^error: [^\n]+\nhint: [^\n]+\n$/);
    }
  });

  it('exits quietly if nobody reads its output', async () => {
    const child = start(['doctor'], { BYTEIFY_HOME: folder });
    child.stdout?.destroy();
    const { stderr } = await finished(child);
    expect(stderr).not.toMatch(/EPIPE|^ +at /m);
  });
});

describe('the executable, stopped by a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('exits on %s during a stalled download with %d', { timeout: 30_000 }, async (signal, code) => {
    // Accepts the request and never responds.
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    let child: ChildProcess | null = null;
    try {
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      child = start(['import', 'org/name', '--out', join(folder, signal)], {
        HF_ENDPOINT: `http://127.0.0.1:${port}`,
        HF_HOME: join(folder, 'hf'),
      });
      const end = finished(child);
      // If the process exits before its request, the assertions below fail without a timeout.
      await Promise.race([once(server, 'request'), end]);
      child.kill(signal);
      const { code: exitCode, stderr } = await end;
      expect(stderr).toContain('Stopping at the next safe point');
      expect(stderr).not.toMatch(/^ +at /m);
      expect(exitCode).toBe(code);
    } finally {
      child?.kill('SIGKILL');
      server.closeAllConnections();
      server.close();
    }
  });
});
