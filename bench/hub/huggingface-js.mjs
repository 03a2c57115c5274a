// Downloads a model with @huggingface/hub, which does not read HF_ENDPOINT itself, and prints what ours.mjs prints.
// Run: node huggingface-js.mjs ORG/NAME
import { snapshotDownload } from '@huggingface/hub';

const { HF_ENDPOINT: hubUrl, HF_TOKEN: accessToken } = process.env;
console.debug = () => undefined;
const beganMs = performance.now();
await snapshotDownload({ repo: process.argv[2], hubUrl, ...(accessToken && { accessToken }) });
const seconds = (performance.now() - beganMs) / 1000;
console.log(JSON.stringify({ seconds, peak_bytes: process.resourceUsage().maxRSS * 1024 }));
