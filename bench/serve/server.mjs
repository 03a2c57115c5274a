// `byteify serve` in a process of its own.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** Settles when it listens. @returns its address, what to ask of it, and how to end it */
export async function startServer(args) {
  const child = spawn(process.execPath, [CLI, 'serve', ...args, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Where the test fails it must not run on.
  process.once('exit', () => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise((resolve) => {
    child.on('close', resolve);
  });
  const { url } = await new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
      if (stdout.endsWith('}\n')) resolve(JSON.parse(stdout));
    });
    ended.then((code) => reject(new Error(`serve ended with ${code}:\n${stderr}`)));
  });
  return {
    url,
    health: async () => await (await fetch(`${url}/health`)).json(),
    /** Its metrics by name, those with labels by all of it. */
    async metrics() {
      const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((line) => !/^(#|$)/.test(line));
      return Object.fromEntries(
        lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
      );
    },
    /** @returns its exit code, and what it said beside how it began */
    async stop() {
      child.kill('SIGTERM');
      return { code: await ended, said: stderr };
    },
  };
}
