// Publishes a folder's files with the built package and prints the bytes sent and the peak memory of the process, in bytes.
// Run: node publish-peak.mjs FOLDER OWNER/NAME
import {
  hashPaths,
  openHubClient,
  planPublication,
  publish,
  publishedPaths,
  writingAccount,
} from '../../dist/hub/index.js';

const [folder, repository] = process.argv.slice(2);
const client = openHubClient();
const account = await writingAccount(client);
const files = await hashPaths(folder, await publishedPaths(folder, { isKnown: () => true, include: [] }));
const publication = await planPublication(client, { repository, files, origin: null });
const { sentBytes } = await publish(client, publication, { isPrivate: false, force: false, account, card: '' });
console.log(JSON.stringify({ sent_bytes: sentBytes, peak_bytes: process.resourceUsage().maxRSS * 1024 }));
