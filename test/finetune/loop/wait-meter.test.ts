import { describe, expect, it } from 'vitest';
import { createWaitMeter } from '../../../src/finetune/loop/wait-meter.js';

describe('createWaitMeter', () => {
  it('reports the share of time spent waiting over all steps except the first', () => {
    const waits = createWaitMeter();
    expect(waits.metrics()).toEqual({});
    waits.add(900, 1000);
    expect(waits.metrics()).toEqual({});
    waits.add(10, 100);
    waits.add(0, 900);
    expect(waits.metrics()).toEqual({ data_wait_fraction: 0.01 });
  });
});
