/** @module `byteify inspect`: shows the contents of a checkpoint, a file, a conversion or a hub model. Reads headers only. */

import { isThere } from '../fs/index.js';
import { type Command, printResult } from './command.js';
import { inspectPath } from './inspect/inspect-path.js';
import type { Inspection } from './inspect/inspection.js';
import { renderInspection } from './inspect/render.js';

export const inspect: Command<{ path: string }> = {
  name: 'inspect',
  summary: 'show the contents of a checkpoint, a file, a conversion or a hub model',
  arguments: [
    {
      name: 'path',
      help: 'a .safetensors or .gguf file, a checkpoint folder, a conversion folder, or a hub id (org/name[@revision])',
    },
  ],
  options: [],
  examples: [
    'byteify inspect model.safetensors',
    'byteify inspect smollm2-blt --json',
    'byteify inspect smollm2.Q4_K_M.gguf',
    'byteify inspect HuggingFaceTB/SmolLM2-135M',
  ],
  async run(context, { path }) {
    const found = await inspectAny(path, context.signal);
    printResult(context, found, () => renderInspection(found));
  },
};

async function inspectAny(path: string, signal: AbortSignal): Promise<Inspection> {
  // An existing path takes precedence over a hub id of the same name, as in every verb.
  if (isThere(path) || looksLikePath(path)) return inspectPath(path);
  const { inspectHub } = await import('./inspect/inspect-hub.js');
  return inspectHub(path, signal);
}

/** Whether a text is meant as a path, so that the hub need not be queried. */
function looksLikePath(text: string): boolean {
  return /^([./~]|[A-Za-z]:[\\/])/.test(text) || /\.(gguf|safetensors)$/i.test(text) || text.endsWith('/');
}
