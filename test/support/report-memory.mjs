// Imported before a command (NODE_OPTIONS=--import=...): writes the peak memory of the process, in bytes, to the file MEMORY_FILE.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  writeFileSync(process.env.MEMORY_FILE, String(process.resourceUsage().maxRSS * 1024));
});
