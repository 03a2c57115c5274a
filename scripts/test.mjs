// `npm test`: sets everything up and runs every test that needs no Python peers.
import { run } from './run.mjs';
import { setUp } from './set-up.mjs';

setUp();
run('npx', ['vitest', 'run', '--project', 'unit', '--project', 'e2e*', ...process.argv.slice(2)]);
