// Downloads a model with byteify and prints its duration and the peak memory of the process as JSON. Run: node ours.mjs ORG/NAME
import { downloadModel } from '../../dist/hub/index.js';

const beganMs = performance.now();
await downloadModel(process.argv[2]);
const seconds = (performance.now() - beganMs) / 1000;
console.log(JSON.stringify({ seconds, peak_bytes: process.resourceUsage().maxRSS * 1024 }));
