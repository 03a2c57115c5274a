/** @module What the two training stages share. */
import { digestOf } from '../conversion/index.js';
import type { ByteStore } from '../data/index.js';
import type { StepReport } from '../finetune/index.js';
import type { Progress } from '../ui/index.js';

/** Stands for the text that a store holds and how it was split. */
export function dataDigest({ manifest }: ByteStore): string {
  return digestOf({
    files: manifest.files.map(({ sha256 }) => sha256),
    train: manifest.train,
    validation: manifest.validation,
  });
}

/** A training step for the reporter. */
export function stepProgress({ step, steps, bitsPerByte, bytesPerSecond }: StepReport): Progress {
  const detail = `${bitsPerByte.toFixed(3)} bits per byte, ${Math.round(bytesPerSecond).toLocaleString('en')} bytes/s`;
  return { done: step, total: steps, unit: 'steps', detail };
}
