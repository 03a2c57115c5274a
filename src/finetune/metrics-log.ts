/** @module The curve of a run: metrics.jsonl, which is the record, and TensorBoard's event file beside it. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../conversion/index.js';
import { fileVersionRecord, scalarsRecord } from './tfevents.js';

export const METRICS_FILE = 'metrics.jsonl';

export interface MetricsLog {
  /** One line, on disk before it returns. @param step optimizer steps done. */
  write(step: number, values: Readonly<Record<string, number>>): Promise<void>;
  close(): Promise<void>;
}

/** Lines up to a step: a run that goes on from a checkpoint does those after it again. */
async function dropAfter(path: string, step: number): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text === '') return;
  const kept = text.split('\n').filter((line) => {
    try {
      return (JSON.parse(line) as { step: number }).step <= step;
    } catch {
      return false; // the last line of a process that was killed
    }
  });
  if (step === 0) kept.length = 0;
  await writeFileAtomic(path, kept.map((line) => `${line}\n`).join(''));
}

async function append(file: FileHandle, bytes: Uint8Array | string): Promise<void> {
  await file.appendFile(bytes);
  await file.datasync();
}

/** @param step where the run stands; what the file holds beyond it is dropped. */
export async function openMetrics(run: string, step: number): Promise<MetricsLog> {
  const path = join(run, METRICS_FILE);
  await dropAfter(path, step);
  const lines = await open(path, 'a');
  const seconds = () => Date.now() / 1000;
  // A file a sitting: TensorBoard reads them as one run and lets later ones win.
  const events = await open(join(run, `events.out.tfevents.${Math.floor(seconds())}.byteify.${process.pid}`), 'a');
  await append(events, fileVersionRecord(seconds()));
  return {
    async write(at, values) {
      await append(lines, `${JSON.stringify({ step: at, time: new Date().toISOString(), ...values })}\n`);
      await append(events, scalarsRecord(at, values, seconds()));
    },
    async close() {
      await lines.close();
      await events.close();
    },
  };
}
