// Downloads a model with the built package, in a process that a test kills. Run: node download.mjs ENDPOINT CACHE ORG/NAME
import { downloadModel } from '../../dist/hub/index.js';

const [endpoint, cacheDir, model] = process.argv.slice(2);
await downloadModel(model, { environment: { endpoint, cacheDir, token: null, offline: false } });
