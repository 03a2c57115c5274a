/** @module `byteify doctor`: checks what is ready on this machine, and says how to fix what is not. */

import { ByteifyError } from '../errors.js';
import { renderTable } from '../ui/index.js';
import { type Command, printResult } from './command.js';
import type { Check } from './doctor/check.js';
import { checkBridge, checkEngine, checkPlugins } from './doctor/check-engine.js';
import { checkHubCache, checkHubToken } from './doctor/check-hub.js';
import {
  checkDisks,
  checkGpu,
  checkMemory,
  checkNode,
  checkPages,
  checkPip,
  checkPlatform,
  checkZstd,
} from './doctor/check-machine.js';

export const doctor: Command<Record<string, never>> = {
  name: 'doctor',
  summary: 'check what is ready on this machine, and how to fix what is not',
  arguments: [],
  options: [],
  examples: ['byteify doctor', 'byteify doctor --json'],
  async run(context) {
    const checks: Check[] = [
      checkNode(),
      checkPlatform(),
      checkEngine(),
      await checkBridge(),
      checkMemory(),
      ...checkPages(),
      ...(await checkDisks()),
      await checkGpu(),
      ...(await checkPlugins()),
      await checkHubCache(),
      checkHubToken(),
      checkZstd(),
      await checkPip(),
    ];
    const missing = checks.filter(({ ok, required }) => required && !ok);
    printResult(context, { ready: missing.length === 0, checks }, () =>
      renderTable(
        [{ title: '' }, { title: 'check' }, { title: 'found' }, { title: 'to do' }],
        checks.map((check) => [mark(check), check.name, check.detail, check.mend ?? '']),
      ),
    );
    if (missing.length === 0) return;
    throw new ByteifyError(`This machine is missing: ${missing.map(({ name }) => name).join(', ')}.`, {
      hint: missing.map(({ mend }) => mend).join('; '),
    });
  },
};

function mark({ ok, required }: Check): string {
  if (ok) return 'ok';
  return required ? 'MISSING' : 'missing';
}
