// node publish-peak.mjs FOLDER OWNER/NAME: publishes the folder's files by the built library and prints the most memory it ever held, in bytes.
import { hashPaths, openLine, planPublication, publish, publishedPaths, writingAccount } from '../../dist/hub/index.js';

const [folder, repository] = process.argv.slice(2);
const line = openLine();
const account = await writingAccount(line);
const files = await hashPaths(folder, await publishedPaths(folder, { isKnown: () => true, include: [] }));
const publication = await planPublication(line, { repository, files, origin: null });
const { sentBytes } = await publish(line, publication, { isPrivate: false, force: false, account, card: '' });
console.log(JSON.stringify({ sent_bytes: sentBytes, peak_bytes: process.resourceUsage().maxRSS * 1024 }));
