/** @module Writes one shard: documents until it is full, with their entropies and patch lengths if there is a patcher. */
import { createHash } from 'node:crypto';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  collectRefusals,
  DOCUMENT_ENDS_FILE,
  DOCUMENTS_FILE,
  ENTROPIES_FILE,
  PATCH_ENDS_FILE,
  PATCHES_FILE,
  type Position,
  type PreparedCounts,
  type ReadInput,
  SHARD_FILE,
  type ShardManifest,
} from '../data/index.js';
import { type AppendFile, createAppendFile, digestOfFile, writeFolderAtomic } from '../fs/index.js';
import type { TextCut } from '../patching/index.js';
import type { Step } from './items.js';

/** Cuts a document into patches. */
export type Segment = (document: Uint8Array, signal?: AbortSignal) => Promise<TextCut>;

/** Steps that can be looked at before they are taken. */
export interface StepQueue {
  peek(): Promise<Step | null>;
  take(): void;
}

export interface ShardTask extends Pick<ShardManifest, 'identity' | 'kind' | 'part' | 'shard' | 'begin'> {
  /** Bytes of text that a shard holds at most. */
  readonly shardBytes: number;
  /** The position after the last item. */
  readonly last: Position;
  readonly segment: Segment | null;
  readonly onDocument: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** A shard lists the first of its refusals; all are counted. */
const LISTED_REFUSALS = 100;

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => new Uint8Array(buffer, byteOffset, byteLength);

/** The files of a shard under construction, by name. */
type ShardFiles = Readonly<Record<string, AppendFile>>;

async function openFiles(folder: string, hasPatches: boolean): Promise<ShardFiles> {
  const patchFiles = hasPatches ? [ENTROPIES_FILE, PATCHES_FILE, PATCH_ENDS_FILE] : [];
  const names = [DOCUMENTS_FILE, DOCUMENT_ENDS_FILE, ...patchFiles];
  const files = await Promise.all(names.map((name) => createAppendFile(join(folder, name))));
  return Object.fromEntries(names.map((name, i) => [name, files[i]!]));
}

const appendEnd = (file: AppendFile, end: number) => file.append(bytesOf(Float64Array.of(end)));

/** Appends a document. @returns its patches, without that of BOS; 0 without a patcher */
async function appendDocument(files: ShardFiles, document: Uint8Array, cut: TextCut | null): Promise<number> {
  await files[DOCUMENTS_FILE]!.append(document);
  await appendEnd(files[DOCUMENT_ENDS_FILE]!, files[DOCUMENTS_FILE]!.length);
  if (cut === null) return 0;
  await files[ENTROPIES_FILE]!.append(bytesOf(cut.entropyNats));
  await files[PATCHES_FILE]!.append(bytesOf(Uint32Array.from(cut.patchLengths)));
  await appendEnd(files[PATCH_ENDS_FILE]!, files[PATCHES_FILE]!.length / Uint32Array.BYTES_PER_ELEMENT);
  return cut.patchLengths.length - 1;
}

/** What a shard contains so far. */
interface Filled extends PreparedCounts {
  readonly end: Position;
  readonly refused: ShardManifest['refused'];
  readonly inputs: readonly ReadInput[];
}

/** Takes steps while their documents fit, and hands each document on. A shard has at least one document, if there is one. */
async function fill(
  steps: StepQueue,
  { shardBytes, last, segment }: ShardTask,
  put: (document: Uint8Array) => Promise<number>,
): Promise<Filled> {
  let [documents, bytes, patches, cutDocuments] = [0, 0, 0, 0];
  const refusals = collectRefusals(LISTED_REFUSALS);
  const inputs: ReadInput[] = [];
  let end = last;
  for (let step = await steps.peek(); step !== null; step = await steps.peek()) {
    if ('document' in step) {
      const { length } = step.document;
      if (documents > 0 && bytes + length > shardBytes) {
        end = step.at;
        break;
      }
      patches += await put(step.document);
      documents++;
      bytes += length;
      cutDocuments += Number(step.isCut);
    } else if ('refused' in step) refusals.add(step.refused);
    else inputs.push(step.read);
    steps.take();
  }
  return {
    ...{ end, documents, bytes, patches: segment === null ? null : patches, cut_documents: cutDocuments },
    refused_count: refusals.count(),
    refused: refusals.listed.map(({ line, ...refusal }) => ({ ...refusal, ...(line !== undefined && { line }) })),
    inputs,
  };
}

/** The sizes and digests of the files of a shard that is complete. */
async function fileFacts(folder: string, names: readonly string[]): Promise<ShardManifest['files']> {
  const facts: [string, ShardManifest['files'][string]][] = [];
  for (const name of names) {
    const path = join(folder, name);
    facts.push([name, { size_bytes: (await stat(path)).size, sha256: await digestOfFile(path) }]);
  }
  return Object.fromEntries(facts);
}

/** Writes a shard under its name when it is complete. @throws the signal's reason; then nothing is left of it */
export async function writeShard(path: string, steps: StepQueue, task: ShardTask): Promise<ShardManifest> {
  const { identity, kind, part, shard, begin, segment, onDocument, signal } = task;
  return writeFolderAtomic(path, async (folder) => {
    const files = await openFiles(folder, segment !== null);
    const filled = await fill(steps, task, async (document) => {
      signal?.throwIfAborted();
      const cut = segment === null ? null : await segment(document, signal);
      const patches = await appendDocument(files, document, cut);
      onDocument(document.length);
      return patches;
    }).finally(() => Promise.all(Object.values(files).map((file) => file.close())));
    const manifest: ShardManifest = {
      ...{ format: 1, identity, kind, part, shard, begin, ...filled, inputs: [...filled.inputs] },
      files: await fileFacts(folder, Object.keys(files)),
    };
    await writeFile(join(folder, SHARD_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  });
}

/** Takes the steps of a shard that exists, and compares their documents with it. @returns whether they are the same */
export async function replayShard(steps: StepQueue, task: ShardTask, { end, files }: ShardManifest): Promise<boolean> {
  const hash = createHash('sha256');
  const replayed = await fill(steps, task, async (document) => {
    task.signal?.throwIfAborted();
    hash.update(document);
    return 0;
  });
  const isSamePlace = replayed.end.input === end.input && replayed.end.item === end.item;
  return isSamePlace && hash.digest('hex') === files[DOCUMENTS_FILE]?.sha256;
}
