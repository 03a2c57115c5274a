// Runs `byteify serve` in a process of its own.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/**
 * Resolves when the server listens.
 * @param {string[]} args of `byteify serve`
 */
export async function startServer(args) {
  const child = spawn(process.execPath, [CLI, 'serve', ...args, '--port', '0', '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // The server must not outlive a failed test.
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
    /** @returns {Promise<any>} */
    health: async () => await (await fetch(`${url}/health`)).json(),
    /** @returns the metrics by name, including their labels */
    async metrics() {
      const lines = (await (await fetch(`${url}/metrics`)).text()).split('\n').filter((line) => !/^(#|$)/.test(line));
      return Object.fromEntries(
        lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
      );
    },
    /** @returns the server's exit code and what it wrote to stderr */
    async stop() {
      child.kill('SIGTERM');
      return { code: await ended, stderr };
    },
  };
}
