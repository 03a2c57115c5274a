/** @module The entry of a process that compiles one stage: each needs an engine of its own, and the memory of a compiler. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serializeError } from '../serialized-error.js';
import type { StageAnswer, StageRequest } from './compile-in-process.js';
import { compileStage } from './compile-stage.js';

async function answer(request: StageRequest): Promise<StageAnswer> {
  const work = await mkdtemp(join(tmpdir(), 'byteify-accelerator-'));
  try {
    return { kind: 'compiled', stages: await compileStage({ ...request, work }) };
  } catch (error) {
    return { kind: 'failed', error: serializeError(error) };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

process.once('message', async (request: StageRequest) => {
  const given = await answer(request);
  // The plugin's threads would keep the process.
  process.send!(given, () => process.exit(0));
});
