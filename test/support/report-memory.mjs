// Imported before a command (NODE_OPTIONS=--import=...): leaves the most memory it ever held, in bytes, in the file MEMORY_FILE.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  writeFileSync(process.env.MEMORY_FILE, String(process.resourceUsage().maxRSS * 1024));
});
