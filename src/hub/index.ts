/** @module The Hugging Face Hub: models and datasets in Python's cache layout, verified. */
export { repositoryFolder } from './cache.js';
export { type Dataset, type DatasetFile, openDataset } from './dataset.js';
export { type Downloaded, type DownloadOptions, downloadModel } from './download.js';
export { type HubEnvironment, hubEnvironment } from './environment.js';
export type { HubOptions } from './find-model.js';
export { type ModelId, parseDatasetId, parseModelId } from './model-id.js';
export { writingAccount } from './publish/account.js';
export { hashPaths, type LocalFile, publishedPaths } from './publish/local-files.js';
export { parseOrigin } from './publish/origin.js';
export { openHubClient, planPublication, publish } from './publish/publish.js';
export { type RemoteModel, readRemote } from './read-remote.js';
