// The settings of a benchmark that keeps results in a folder.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { misuse } from './misuse.mjs';

/** Notes what the results in `work` depend on; ends the program if there are results of other settings. @param {string} work @param {object} settings */
export function requireSettings(work, settings) {
  const file = join(work, 'settings.json');
  const text = JSON.stringify(settings);
  if (!existsSync(file)) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) misuse('--work has results of other settings; name a new folder');
}
