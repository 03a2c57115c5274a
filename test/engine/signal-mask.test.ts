import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { NEEDS_SIGNAL_MASK } from '../../src/engine/signal-mask.js';

/** Starts the built engine in a separate process, and then runs a script. */
function startScript(script: string): { child: ChildProcess; output: Promise<string>; ended: Promise<unknown[]> } {
  const start = `
    import { compile, startEngine, tf } from './dist/engine/index.js';
    import { threadsByMask } from './dist/engine/signal-mask.js';
    import { execFileSync } from 'node:child_process';
    await startEngine({ threads: 2 });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', start + script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = once(child, 'close');
  return { child, ended, output: ended.then(() => text) };
}

// On other machines oneDNN generates no code, and nothing is blocked.
describe.runIf(NEEDS_SIGNAL_MASK)('signals', () => {
  it.each(['eager', 'graph'])('do not disturb matrix products, and reach their listeners: %s', async (mode) => {
    const { child, output, ended } = startScript(`
      let signals = 0;
      process.on('SIGWINCH', () => signals++);
      console.log('ready');
      const [a, b] = [tf.ones([256, 256]), tf.ones([256, 256])];
      const product = compile((x, y) => [tf.matMul(x, y)], [a, b].map(({ shape }) => ({ shape, dtype: 'float32' })));
      for (const end = Date.now() + 3000; Date.now() < end; await new Promise(setImmediate)) {
        const [c] = '${mode}' === 'eager' ? [tf.matMul(a, b)] : await product.call([a, b], 'graph');
        if (c.dataSync().some((value) => value !== 256)) throw new Error('a wrong product');
        c.dispose();
      }
      console.log(signals);
      process.exit(7);
    `);
    await once(child.stdout!, 'data');
    // Without the mask, two dozen of these signals corrupted the heap.
    while (child.kill('SIGWINCH')) await pause(3);
    expect(await ended).toEqual([7, null]);
    expect(Number((await output).split('\n')[1])).toBeGreaterThan(10);
  });

  it('are blocked where computing threads run, and not in all threads, nor in other processes', async () => {
    const { output } = startScript(`
      const { masked, unmasked } = threadsByMask();
      const status = execFileSync('cat', ['/proc/self/status'], { encoding: 'utf8' });
      const computing = execFileSync('sh', ['-c', 'grep -l tf_Compute /proc/' + process.pid + '/task/*/comm']);
      const ids = String(computing).match(/\\d+(?=\\/comm)/g);
      console.log('ready');
      console.log(JSON.stringify({
        main: masked.has(String(process.pid)),
        computing: ids.map((id) => masked.has(id)),
        pool: masked.size - ids.length,
        others: unmasked.size,
        child: /SigBlk:\\s*(\\w+)/.exec(status)[1],
      }));
      process.exit();
    `);
    const found = JSON.parse((await output).split('\n')[1]!);
    expect(found).toMatchObject({ main: true, child: '0'.repeat(16) });
    expect(found.computing.length).toBeGreaterThan(0);
    expect(new Set(found.computing)).toEqual(new Set([true]));
    // The main thread, and the four of the pool.
    expect(found.pool).toBeGreaterThanOrEqual(5);
    expect(found.others).toBeGreaterThan(0);
  });
});
