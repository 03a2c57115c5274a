// Refuses a tag that does not agree with package.json and CHANGELOG.md. The release workflow runs it.
import { readFileSync } from 'node:fs';
import { judgeRelease } from './check-release/judge.mjs';

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const { GITHUB_REF_NAME: tag, GITHUB_REPOSITORY: repository } = process.env;
const wrong = judgeRelease(JSON.parse(read('package.json')), read('CHANGELOG.md'), { tag, repository });
for (const sentence of wrong) console.error(sentence);
process.exitCode = wrong.length === 0 ? 0 : 1;
