/** @module Helpers shared by the two training stages. */

import type { ByteStore } from '../data/index.js';
import type { Followers, SlowProcess, StepReport } from '../finetune/index.js';
import { digestOf } from '../fs/index.js';
import type { Progress } from '../ui/index.js';

/** A digest of a store's text and its split. */
export function dataDigest({ manifest }: Pick<ByteStore, 'manifest'>): string {
  return digestOf({
    files: manifest.files.map(({ sha256 }) => sha256),
    train: manifest.train,
    validation: manifest.validation,
  });
}

/** Units of the losses; the next-byte loss is shown in bits. */
const LOSSES: Readonly<Record<string, string>> = {
  train_embedding: 'of the embeddings’ variance',
  train_prefix_kl: 'nats from the source',
  train_token_cross_entropy: 'nats per token',
};

/** The warning about a process that the others wait for. */
export function slowProcessWarning({ rank, ratio }: SlowProcess, followers: Followers | null): string {
  const { host, pid } = followers!.group.members[rank]!;
  return `Process ${rank} (pid ${pid} on ${host}) takes ${ratio.toFixed(1)} times as long per step as the others, which wait for it.`;
}

/** The progress of a training step, for the reporter. */
export function stepProgress({ step, steps, losses, bytesPerSecond }: StepReport): Progress {
  const [[name, value] = ['', Number.NaN]] = Object.entries(losses);
  const loss =
    name === 'train_bits_per_byte'
      ? `${value.toFixed(3)} bits per byte`
      : `${value.toFixed(4)} ${LOSSES[name] ?? name}`;
  const detail = `${loss}, ${Math.round(bytesPerSecond).toLocaleString('en')} bytes/s`;
  return { done: step, total: steps, unit: 'steps', detail };
}
