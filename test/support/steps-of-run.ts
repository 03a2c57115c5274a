/** The steps that a run has logged, and how two runs compare. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export interface Step {
  readonly loss: number;
  readonly norm: number;
}

/** Of each step that was taken. @param conversion the conversion folder */
export function stepsOf(conversion: string): Step[] {
  // A line that is being written has no end yet.
  const lines = readFileSync(join(conversion, 'run', 'metrics.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1);
  return lines
    .map((line) => JSON.parse(line))
    .filter((entry) => 'train_bits_per_byte' in entry)
    .map((entry) => ({ loss: entry.train_bits_per_byte, norm: entry.gradient_norm }));
}

export function expectSameSteps(found: readonly Step[], wanted: readonly Step[]): void {
  expect(found).toHaveLength(wanted.length);
  found.forEach(({ loss, norm }, i) => {
    expect(Math.abs(loss / wanted[i]!.loss - 1), `loss of step ${i + 1}`).toBeLessThan(1e-5);
    expect(Math.abs(norm / wanted[i]!.norm - 1), `gradient norm of step ${i + 1}`).toBeLessThan(1e-4);
  });
}
