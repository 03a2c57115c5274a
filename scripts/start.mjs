// `npm start`: sets everything up and converts the embedded tiny Llama.
import { run } from './run.mjs';
import { setUp } from './set-up.mjs';

setUp();
run(process.execPath, ['dist/cli.js', 'demo', ...process.argv.slice(2)]);
