/** olah (PyPI), a mirror of the hub, as a second server for downloads: it serves git repositories and contacts no other server. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../src/net/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Creates its environment the first time (scripts/peers-env.sh). */
function command(): string {
  const python = execFileSync('bash', ['scripts/peers-env.sh', 'test/peers/olah-requirements.txt'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return join(dirname(python.trim()), 'olah-cli');
}

/** Commits the contents of a folder. @returns the commit */
export function commitFolder(folder: string): string {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@example.org', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  git('init', '--quiet', '--initial-branch=main');
  git('add', '--all');
  git('commit', '--quiet', '--message=A model');
  return git('rev-parse', 'HEAD').trim();
}

export interface Olah {
  readonly url: string;
  close(): Promise<void>;
}

/** @param mirrors a folder with git repositories at models/ORG/NAME; @param work for its cache and logs. */
export async function startOlah(mirrors: string, work: string): Promise<Olah> {
  const port = await freePort('127.0.0.1');
  await mkdir(work, { recursive: true });
  const config = join(work, 'olah.toml');
  const quoted = (path: string) => JSON.stringify(path);
  await writeFile(
    config,
    `[basic]
host = "127.0.0.1"
port = ${port}
repos-path = ${quoted(join(work, 'repos'))}
mirrors-path = [${quoted(mirrors)}]
[accessibility]
offline = true
`,
  );
  const child = spawn(command(), ['--config', config, '--log-path', join(work, 'logs')], {
    cwd: work,
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; ; tries++) {
    if (await fetch(url).then(Boolean, () => false)) break;
    if (child.exitCode !== null || tries === 300) throw new Error(`olah did not start (exit code ${child.exitCode})`);
    await wait(100);
  }
  return {
    url,
    async close() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}
