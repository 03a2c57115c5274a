// Checks that the tag, package.json and CHANGELOG.md agree before a version is published.

/**
 * @param {{ version: string, repository: { url: string } }} manifest package.json
 * @param {string} changelog
 * @param {{ tag?: string | undefined, repository?: string | undefined }} run the released tag, and the owner/name of the repository
 * @returns {string[]} one sentence per disagreement
 */
export function judgeRelease({ version, repository }, changelog, run) {
  const wrong = [];
  if (run.tag !== `v${version}`) wrong.push(`The tag ${run.tag} is not v${version}, the version in package.json.`);
  if (!changelog.split('\n').some((line) => line.startsWith(`## [${version}]`)))
    wrong.push(`CHANGELOG.md has no section [${version}].`);
  // npm refuses provenance from a repository other than the one in package.json.
  if (!repository.url.endsWith(`github.com/${run.repository}.git`))
    wrong.push(`package.json names the repository ${repository.url}, and this is ${run.repository}.`);
  return wrong;
}
