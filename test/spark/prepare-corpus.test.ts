import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { parquetWriteFile } from 'hyparquet-writer';
import { afterAll, describe, expect, it } from 'vitest';
import { preparedDocuments } from '../../src/prepare/index.js';
import { uniformOf } from '../../src/random.js';
import { removeWorkFolders, sparkCommands, sparkIsMissing } from '../support/spark.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
const SCRIPT = path('../../spark/prepare_corpus.py');
const CLI = path('../../dist/cli.js');
const PARTS = 4;
const SEED = 7;

const folder = temporaryFolder();
const sha256 = (...data: (string | Uint8Array)[]) =>
  data.reduce((hash, one) => hash.update(one), createHash('sha256')).digest();
const smallest = (texts: readonly string[]) =>
  texts.reduce((a, b) => (Buffer.compare(sha256(a), sha256(b)) < 0 ? a : b));

/** Different texts, copies of some, and near duplicates of others. `kept` is what has to remain. */
function corpus() {
  const uniform = uniformOf('corpus');
  const draw = (count: number) => Math.floor(uniform() * count);
  const letters = [...'aäbdeéfg東ijl😀mnoprst'];
  const word = () => Array.from({ length: 2 + draw(8) }, () => letters[draw(letters.length)]).join('');
  const words = Array.from({ length: 3000 }, word);
  const text = () => Array.from({ length: 60 + draw(200) }, () => words[draw(words.length)]).join(' ');
  const different = Array.from({ length: 200 }, text);
  // The first 40 words are those of another text, the last of none, and short texts differ by little: neither are near duplicates.
  const half = (one: string) => one.split(' ').slice(0, 40);
  const halves = different.slice(0, 20).map((one) => [...half(one), ...half(text())].join(' '));
  const short = Array.from({ length: 20 }, (_, i) => `No. ${i}\r\n`);
  const copies = different.slice(20, 50).flatMap((one) => [one, one]);
  const near = different.slice(50, 90).map((one, i) => [
    one,
    // A word more; other case and space; both.
    ...[`${one} ${words[i]}`, one.toUpperCase().replaceAll(' ', '\n\n'), ` ${words[i]} ${one}`].slice(0, 1 + (i % 3)),
  ]);
  const clusters = near.map((cluster) => new Set(cluster));
  return {
    texts: [...different, ...halves, ...short, ...copies, ...near.flatMap((cluster) => cluster.slice(1)), ''],
    kept: [
      ...different.filter((one) => !clusters.some((cluster) => cluster.has(one))),
      ...clusters.map((cluster) => smallest([...cluster])),
      ...halves,
      ...short,
    ].sort(),
    counts: {
      exact_duplicates: copies.length,
      near_duplicates: near.flat().length - near.length,
      without_text: 1,
      not_utf8: 0,
    },
  };
}

/** Writes the texts as gzipped JSON lines and as Parquet, in two orders of them. */
function writeInput(texts: readonly string[], order: 1 | -1): string[] {
  const input = join(folder(), `input${order}`);
  mkdirSync(input);
  const ordered = order === 1 ? texts : texts.toReversed();
  const lines = ordered.slice(0, 150).map((text) => `${JSON.stringify({ id: 1, text })}\n`);
  writeFileSync(join(input, 'a.jsonl.gz'), gzipSync(lines.join('')));
  parquetWriteFile({
    filename: join(input, 'b.parquet'),
    columnData: [{ name: 'text', data: ordered.slice(150), type: 'STRING' }],
    rowGroupSize: 100,
  });
  return [join(input, '*.jsonl.gz'), join(input, 'b.parquet')];
}

interface Job {
  readonly master: string;
  readonly input: readonly string[];
  readonly out: string;
  readonly byteify: string;
}

/** A job of Spark. @returns what it prints, and its log */
function submit({ master, input, out, byteify }: Job): Promise<{ stdout: string; stderr: string }> {
  const { submit: command, python } = sparkCommands();
  const quick = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';
  const settings = {
    'spark.ui.enabled': 'false',
    'spark.sql.shuffle.partitions': '4',
    'spark.executor.memory': '512m',
    'spark.driver.extraJavaOptions': quick,
    'spark.executor.extraJavaOptions': quick,
    'spark.local.dir': folder(),
  };
  const confs = Object.entries(settings).flatMap(([key, value]) => ['--conf', `${key}=${value}`]);
  const own = ['--out', out, '--parts', String(PARTS), '--seed', String(SEED), '--byteify', byteify];
  const child = spawn(
    command,
    ['--master', master, ...confs, SCRIPT, ...input, ...own, '--', '--shard-bytes', '16KiB', '--licence', 'cc0-1.0'],
    { cwd: folder(), env: { ...process.env, PYSPARK_PYTHON: python, PYSPARK_DRIVER_PYTHON: python } },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve({ stdout, stderr }) : reject(new Error(stderr))));
  });
}

/** The contents of every file below a folder, but for attempts that outlive the job. */
function contentsOf(out: string): Record<string, string> {
  const files = readdirSync(out, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((file) => !file.includes('/.attempts-'));
  return Object.fromEntries(paths.map((file) => [file.slice(out.length), sha256(readFileSync(file)).toString('hex')]));
}

const parentOf = (pid: number) =>
  Number(execFileSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).trim());

/** Waits until the first attempt at a part has sent some of its text. @returns the process that sends it */
async function senderOf(part: number, state: string): Promise<number> {
  const file = join(state, String(part), 'sender');
  while (!existsSync(file)) await wait(50);
  return Number(readFileSync(file, 'utf8'));
}

/** Kills an executor with all that it computed, then the Python worker of another, each in the middle of a part. */
async function disturb(state: string): Promise<void> {
  // The worker's parent is PySpark's daemon, whose parent is the executor.
  process.kill(parentOf(parentOf(await senderOf(1, state))), 'SIGKILL');
  process.kill(await senderOf(2, state), 'SIGKILL');
}

describe.skipIf(sparkIsMissing() !== null)('a corpus prepared by Spark', () => {
  afterAll(removeWorkFolders);

  it('is the same if an executor and a worker are killed, and has each text once', async () => {
    const { texts, kept, counts } = corpus();
    const [whole, disturbed, state] = ['whole', 'disturbed', 'state'].map((name) => join(folder(), name)) as [
      string,
      string,
      string,
    ];
    const undisturbed = await submit({
      ...{ master: 'local[2]', input: writeInput(texts, 1), out: whole, byteify: `node ${CLI}` },
    });
    expect(JSON.parse(undisturbed.stdout)).toMatchObject({ ...counts, documents: kept.length });
    expect(readdirSync(whole).filter((name) => name.startsWith('.'))).toEqual([]);

    mkdirSync(state);
    const running = submit({
      ...{ master: 'local-cluster[2,1,1024]', input: writeInput(texts, -1), out: disturbed },
      byteify: `sh ${path('disturbed-byteify.sh')} ${state} ${CLI}`,
    });
    const [{ stdout, stderr }] = await Promise.all([running, Promise.race([disturb(state), running])]);
    expect(stderr).toMatch(/Lost executor/);
    expect(stderr).toMatch(/Python worker exited unexpectedly/);
    expect(contentsOf(disturbed)).toEqual(contentsOf(whole));
    expect({ ...JSON.parse(stdout), prepared: null }).toEqual({ ...JSON.parse(undisturbed.stdout), prepared: null });

    const found: string[] = [];
    for await (const { bytes } of preparedDocuments(whole)) found.push(Buffer.from(bytes).toString());
    expect(found.toSorted()).toEqual(kept);
    const keys = found.map((text) => sha256(`${SEED}:`, sha256(text)).toString('hex'));
    // Sorted within each part, and shuffled on the whole.
    expect(keys.filter((key, i) => i > 0 && key < keys[i - 1]!)).toHaveLength(PARTS - 1);
  });
});
