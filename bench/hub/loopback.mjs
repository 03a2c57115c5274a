// Compiles the tests' loopback hub once and starts it in a process of its own for each measurement.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

/** @returns the path of the compiled test/support/hub-server.ts */
export function compileHub(work) {
  const out = join(work, 'hub');
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'package.json'), '{"type":"module"}');
  const options = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node', '--noCheck', '--ignoreConfig'];
  const tsc = here('../../node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, ...options, '--outDir', out, here('../../test/support/hub-server.ts')], {
    cwd: here('../..'),
  });
  return join(out, 'hub-server.js');
}

/** @returns the hub's address, its log of requests, and a function that stops it */
export async function startLoopback(compiled, options) {
  const child = fork(here('serve.mjs'), [compiled]);
  const ask = async (message) => {
    child.send(message);
    const [answer] = await once(child, 'message');
    return answer;
  };
  const { url } = await ask({ options });
  return {
    url,
    requests: async () => (await ask({ ask: 'log' })).requests,
    async close() {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
