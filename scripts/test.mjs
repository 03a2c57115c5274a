// `npm test`: sets everything up and runs all tests except those against peers in Python.
import { run } from './run.mjs';
import { setUp } from './set-up.mjs';

setUp();
run('npx', [
  'vitest',
  'run',
  '--project',
  'unit',
  '--project',
  'e2e*',
  '--project',
  'openxla',
  ...process.argv.slice(2),
]);
