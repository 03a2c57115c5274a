/** @module Compiles a stage in a process of its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ByteifyError } from '../errors.js';
import { deserializeError, type SerializedError } from '../serialized-error.js';
import type { CompiledStage } from './compiled-stage.js';
import type { Target } from './targets.js';
import type { TraceOptions } from './trace-stage.js';

export interface StageRequest extends Omit<TraceOptions, 'work'> {
  /** The file of the CUDA plugin. */
  readonly plugin: string;
  readonly targets: readonly Target[];
}

export type StageAnswer =
  | { readonly kind: 'compiled'; readonly stages: readonly CompiledStage[] }
  | { readonly kind: 'failed'; readonly error: SerializedError };

const PROCESS = fileURLToPath(new URL('./stage-process.js', import.meta.url));

function answerOf(child: ChildProcess): Promise<StageAnswer> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    child.once('message', (answer) => resolve(answer as StageAnswer));
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const last = said.trim().split('\n').at(-1) ?? '';
      reject(new ByteifyError(`The compiler ended with ${signal ?? `exit code ${code}`}. ${last}`.trim()));
    });
  });
}

/**
 * @returns what the compiler says, for each target
 * @throws ByteifyError when the stage cannot run, or a program does not compile
 */
export async function compileStageInProcess(
  request: StageRequest,
  signal?: AbortSignal,
): Promise<readonly CompiledStage[]> {
  const child = fork(PROCESS, {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    ...(signal !== undefined && { signal }),
  });
  child.send(request);
  const answer = await answerOf(child);
  if (answer.kind === 'compiled') return answer.stages;
  throw deserializeError(answer.error);
}
