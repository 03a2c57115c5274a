/** @module The curve of a run: metrics.jsonl, which is the record, and TensorBoard's event file beside it. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../fs/index.js';
import { namingPath } from '../../system-errors.js';
import { fileVersionRecord, restartRecord, scalarsRecord } from './tfevents.js';

const lineSchema = z.looseObject({ step: z.number() });

export const METRICS_FILE = 'metrics.jsonl';

export interface MetricsLog {
  /** One line, on disk before it returns. @param step optimizer steps done. */
  write(step: number, values: Readonly<Record<string, number>>): Promise<void>;
  close(): Promise<void>;
}

/** The first step that a run standing at `step` will log: the look at the held-out text before step 1 is logged as step 0. */
function firstStepAfter(step: number): number {
  return step === 0 ? 0 : step + 1;
}

/** Lines up to a step: a run that goes on from a checkpoint does those after it again. */
async function dropAfter(path: string, step: number): Promise<void> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (text === '') return;
  const kept = text.split('\n').filter((line) => {
    try {
      return lineSchema.parse(JSON.parse(line)).step < firstStepAfter(step);
    } catch {
      return false; // the last line of a process that was killed
    }
  });
  await writeFileAtomic(path, kept.map((line) => `${line}\n`).join(''));
}

interface OpenLog {
  readonly path: string;
  readonly file: FileHandle;
}

async function openLog(path: string): Promise<OpenLog> {
  return { path, file: await open(path, 'a') };
}

async function append({ path, file }: OpenLog, bytes: Uint8Array | string): Promise<void> {
  try {
    await file.appendFile(bytes);
    await file.datasync();
  } catch (error) {
    throw namingPath(error, { path });
  }
}

/** @param step where the run stands; what the file holds beyond it is dropped. */
export async function openMetrics(run: string, step: number): Promise<MetricsLog> {
  const path = join(run, METRICS_FILE);
  await dropAfter(path, step);
  const lines = await openLog(path);
  const seconds = () => Date.now() / 1000;
  // A file a sitting: TensorBoard reads them as one run.
  const events = await openLog(join(run, `events.out.tfevents.${Math.floor(seconds())}.byteify.${process.pid}`));
  await append(events, fileVersionRecord(seconds()));
  await append(events, restartRecord(firstStepAfter(step), seconds()));
  return {
    async write(at, values) {
      await append(lines, `${JSON.stringify({ step: at, time: new Date().toISOString(), ...values })}\n`);
      await append(events, scalarsRecord(at, values, seconds()));
    },
    async close() {
      await lines.file.close();
      await events.file.close();
    },
  };
}
