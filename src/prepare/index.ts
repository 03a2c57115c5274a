/** @module Data at scale: files, Parquet and datasets of the hub, streamed into a prepared folder of shards. */
export type { InputOptions } from './inputs.js';
export { mergePrepared } from './merge.js';
export { type FoundPatcher, findPatcher } from './patcher-identity.js';
export { type PrepareOptions, type PrepareResult, prepare } from './prepare.js';
export { type PreparedDocument, preparedDocuments } from './prepared-documents.js';
export type { Segment } from './write-shard.js';
