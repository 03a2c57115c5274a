// Compares byteify, @huggingface/hub and Python's huggingface_hub: downloads over a bad network, speed and memory. Every download and its
// loopback hub run in processes of their own, and the outcome is judged by the bytes in the client's cache.
// Run: npm run bench:hub [-- --rows 'cut|flip' --repeats 5 --file-bytes 256e6 --memory-bytes 100e6,2e9 --work DIR --out docs/bench/hub]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CLIENTS, versions } from './hub/clients.mjs';
import { ROWS, WEIGHTS_BYTES } from './hub/faults.mjs';
import { compileHub } from './hub/loopback.mjs';
import { runFault } from './hub/run-fault.mjs';
import { markdownOf } from './hub/summary.mjs';
import { makeRepository, measureMemory, measureThroughput } from './hub/throughput.mjs';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '.' },
    repeats: { type: 'string', default: '5' },
    'file-bytes': { type: 'string', default: '256e6' },
    'memory-bytes': { type: 'string', default: '100e6,2e9' },
    work: { type: 'string', default: tmpdir() },
    out: { type: 'string' },
  },
});
const work = mkdtempSync(join(values.work, 'byteify-bench-hub-'));
const log = (line) => process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
const clients = Object.keys(CLIENTS);
const measured = versions();

try {
  const compiled = compileHub(work);
  const source = makeRepository(join(work, 'source'), { count: 1, bytes: WEIGHTS_BYTES });
  const faults = {};
  for (const row of ROWS.filter(({ name }) => new RegExp(values.rows).test(name))) {
    const results = await Promise.all(
      clients.map((client, i) => runFault({ row, client, compiled, source, work: join(work, String(i)) })),
    );
    faults[row.name] = Object.fromEntries(clients.map((client, i) => [client, results[i]]));
    log(`${row.name}: ${results.map(({ outcome }) => outcome).join(', ')}`);
  }
  const pair = clients.filter((client) => client !== '@huggingface/hub');
  const throughput = await measureThroughput({
    clients: pair,
    repeats: Number(values.repeats),
    count: 4,
    bytes: Number(values['file-bytes']),
    compiled,
    work,
    log,
  });
  const sizes = values['memory-bytes'].split(',').map(Number);
  const memory = await measureMemory({ clients: pair, sizes, compiled, work, log });
  const result = { versions: measured, clients, faults, throughput, memory };
  const markdown = markdownOf(result);
  process.stdout.write(markdown);
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, 'hub.json'), `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(join(values.out, 'hub.md'), markdown);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
