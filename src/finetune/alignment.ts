/** @module How an aligned patcher was taught to cut: `aligned.json` beside it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Alignment } from '../distill/index.js';

export const ALIGNMENT_FILE = 'aligned.json';

/** Of a patcher's folder; null for a patcher that knows no tokens. */
export async function readAlignment(folder: string): Promise<Alignment | null> {
  const text = await readFile(join(folder, ALIGNMENT_FILE), 'utf8').catch(() => null);
  if (text === null) return null;
  const { labels, end_confidence: endConfidence } = JSON.parse(text) as {
    labels: Alignment['labels'];
    end_confidence: number;
  };
  return { labels, endConfidence };
}
