// Downloads a model with byteify. Prints, as JSON, the seconds it took and the most memory the process held. Run: node ours.mjs ORG/NAME
import { downloadModel } from '../../dist/hub/index.js';

const beganMs = performance.now();
await downloadModel(process.argv[2]);
const seconds = (performance.now() - beganMs) / 1000;
console.log(JSON.stringify({ seconds, peak_bytes: process.resourceUsage().maxRSS * 1024 }));
