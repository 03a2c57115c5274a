import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { hugePageMode } from '../../src/engine/huge-pages.js';
import { goldenPath } from '../support/golden.js';

const run = promisify(execFile);
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Prints the variable that asks for large pages, and the process's number, at the end. */
const REPORT =
  'data:text/javascript,process.on("exit",()=>process.stderr.write("["+process.env.GLIBC_TUNABLES+"]"+process.pid))';

/** Runs the command line by way of a shell, which prints the number of the process that it becomes. */
async function runCli(words: string, env: Readonly<Record<string, string>> = {}) {
  const script = `echo $$; exec "${process.execPath}" --import '${REPORT}' "${path('../../dist/cli.js')}" ${words}`;
  const { GLIBC_TUNABLES: _, ...inherited } = process.env;
  const { stdout, stderr } = await run('bash', ['-c', script], { env: { ...inherited, ...env } });
  const [, variable, id] = /\[(.*)\](\d+)$/.exec(stderr) ?? [];
  const [first, ...lines] = stdout.split('\n');
  return { output: lines.join('\n'), variable, isSameProcess: first === id };
}

describe.runIf(hugePageMode() === 'madvise')(
  'the command line, where Linux gives large pages to programs that ask',
  () => {
    it('starts again in the same process, with its input and output', async () => {
      const ran = await runCli(`score "${goldenPath('plain/blt')}" --json < <(echo some text)`);
      expect(ran).toMatchObject({ variable: 'glibc.malloc.hugetlb=1', isSameProcess: true });
      expect(JSON.parse(ran.output)).toMatchObject({ byte_count: 10 });
    });

    it('keeps a file that the shell opened for it', async () => {
      const ran = await runCli(`score "${goldenPath('plain/blt')}" <(echo some text) --json`);
      expect(JSON.parse(ran.output)).toMatchObject({ byte_count: 10 });
    });

    it('leaves the user’s choice alone, and verbs that compute nothing', async () => {
      expect(await runCli('patch --help', { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0' })).toMatchObject({
        variable: 'glibc.malloc.hugetlb=0',
      });
      expect(await runCli('inspect --help')).toMatchObject({ variable: 'undefined', isSameProcess: true });
    });
  },
);

it.runIf(process.platform === 'linux')(
  'rows of hash tables take small pages, whatever the rest of the memory has',
  async () => {
    const env = { ...process.env, GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' };
    const { stdout } = await run(process.execPath, [path('../support/row-memory.mjs')], { env });
    // Rows of 4 KB: 4 MB. On large pages they would take the whole gigabyte.
    expect(Number(stdout)).toBeLessThan(300e6);
  },
);
