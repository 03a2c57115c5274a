/** @module `byteify inspect`: what a checkpoint, a file, a conversion or a hub model holds. Reads headers only. */

import { type Command, printResult } from './command.js';
import { inspectPath } from './inspect/inspect-path.js';
import { renderInspection } from './inspect/render.js';

export const inspect: Command<{ path: string }> = {
  name: 'inspect',
  summary: 'what a checkpoint, a file or a conversion holds',
  arguments: [{ name: 'path', help: 'a .safetensors or .gguf file, a checkpoint folder, or a conversion folder' }],
  options: [],
  examples: [
    'byteify inspect model.safetensors',
    'byteify inspect smollm2-blt --json',
    'byteify inspect smollm2.Q4_K_M.gguf',
  ],
  async run(context, { path }) {
    const found = await inspectPath(path);
    printResult(context, found, () => renderInspection(found));
  },
};
