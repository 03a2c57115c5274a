import { expect, it } from 'vitest';
import { progressLine } from '../../src/ui/progress-line.js';

it.each([
  [
    { done: 5e8, total: 1e9, unit: 'bytes', detail: 'a.safetensors' },
    10,
    '50 %, 500 MB of 1.00 GB, 50.0 MB/s, 10 s left, a.safetensors',
  ],
  [
    { done: 12, total: 50, unit: 'steps', detail: '1.2 bits per byte' },
    24,
    '24 %, 12/50 steps, 1 min 16 s left, 1.2 bits per byte',
  ],
  [{ done: 3, unit: 'files' }, 10, '3 files'],
  [{ done: 5e8, total: null, unit: 'bytes' }, 10, '500 MB, 50.0 MB/s'],
  // Too early for an estimate; done; so nearly done that an estimate is useless.
  [{ done: 1, total: 100, unit: 'steps' }, 2, '1 %, 1/100 steps'],
  [{ done: 100, total: 100, unit: 'steps' }, 10, '100 %, 100/100 steps'],
  [{ done: 999, total: 1000, unit: 'steps' }, 10, '99 %, 999/1000 steps'],
  [{ done: 0, total: 0, unit: 'bytes' }, 10, '0 B of 0 B'],
])('progress is one line: %j after %d s', (progress, seconds, line) => {
  expect(progressLine(progress, { perSecond: progress.done / seconds, seconds })).toBe(line);
});
