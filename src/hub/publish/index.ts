/** @module Publishes a folder's files to a repository on the hub. */
export { type Account, writingAccount } from './account.js';
export { hashPaths, type LocalFile, type PublishedFiles, publishedPaths } from './local-files.js';
export { type Origin, PROVENANCE_NAME, parseOrigin } from './origin.js';
export {
  checkPublication,
  openHubClient,
  type Publication,
  type Published,
  type PublishRules,
  planPublication,
  publish,
} from './publish.js';
export type { HubClient } from './refusals.js';
export { checkRepositoryName } from './repository-name.js';
