/** @module The metrics of a run: metrics.jsonl, and the same values as a TensorBoard event file. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../fs/index.js';
import { namingPath } from '../../system-errors.js';
import { fileVersionRecord, restartRecord, scalarsRecord } from './tfevents.js';

const lineSchema = z.looseObject({ step: z.number() });

export const METRICS_FILE = 'metrics.jsonl';

export interface MetricsLog {
  /** Writes one line, which is on disk when the promise resolves. @param step the number of optimizer steps taken. */
  write(step: number, values: Readonly<Record<string, number>>): Promise<void>;
  close(): Promise<void>;
}

/** Of a process that does not lead the run. */
export const SILENT_LOG: MetricsLog = { write: async () => {}, close: async () => {} };

/** The first step that a run resumed at `step` will log. The evaluation before step 1 is logged as step 0. */
function firstStepAfter(step: number): number {
  return step === 0 ? 0 : step + 1;
}

/** Drops the lines after a step: a run that resumes from a checkpoint takes those steps again. */
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
      return false; // truncated when the process was killed
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

/** Opens the logs of a run. @param step the step the run is at; later lines are dropped. */
export async function openMetrics(run: string, step: number): Promise<MetricsLog> {
  const path = join(run, METRICS_FILE);
  await dropAfter(path, step);
  const lines = await openLog(path);
  const seconds = () => Date.now() / 1000;
  // One file per session: TensorBoard merges them into one run.
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
