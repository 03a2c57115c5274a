import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { CompiledProgram, CompiledStage } from '../../src/accelerator/index.js';
import { renderTarget, targetDocument } from '../../src/commands/plan/compile-for-target.js';
import { plan } from '../../src/commands/plan.js';
import { runCommand } from '../support/run-command.js';

const llama = fileURLToPath(new URL('../fixtures/golden/plain/llama', import.meta.url));

const PROGRAM: CompiledProgram = {
  ...{ peakBytes: 100e9, argumentBytes: 60e9, temporaryBytes: 30e9, aliasedBytes: 50e9, otherBytes: 10e9 },
  ...{ kernels: 700, fusions: 600, changesVariables: true, trafficBytes: 9e9, libraryCalls: {}, collectives: {} },
};
const compiled = (...programs: CompiledProgram[]): CompiledStage => ({
  ...{ target: 'h100', compileSeconds: 63.6, deviceBytes: 80e9, bytesPerSecond: 3.35e12, programs },
});
const STAGES = [
  { stage: 'patcher', compiled: compiled({ ...PROGRAM, peakBytes: 40e9 }) },
  { stage: 'finetune 0 end-to-end', compiled: compiled(PROGRAM, { ...PROGRAM, peakBytes: 70e9 }) },
];
const EIGHT = { target: 'h100', devices: 8, fullySharded: true } as const;

describe('plan --target', () => {
  it('says of each stage what a device needs, and whether it has that', () => {
    const lines = renderTarget(STAGES, EIGHT).split('\n');
    expect(lines[0]).toMatch(/^on each of 8 x h100/);
    expect(lines[1]).toMatch(/^patcher +64 s +70\.0 GB +30\.0 GB +40\.0 GB +80\.0 GB +fits$/);
    expect(lines[2]).toMatch(/^finetune 0 end-to-end .* 100 GB +80\.0 GB +does not fit$/);
  });

  it('has the same in JSON, in bytes', () => {
    expect(targetDocument(STAGES, EIGHT)).toMatchObject({
      ...{ target: 'h100', devices: 8, fully_sharded: true },
      stages: [
        { stage: 'patcher', fits: true, programs: [{ peak_bytes: 40e9 }] },
        { fits: false, programs: [{ peak_bytes: 100e9, traffic_bytes: 9e9 }, { peak_bytes: 70e9 }] },
      ],
    });
  });

  it('is needed for options that only count with it', async () => {
    for (const options of [{ devices: 8 }, { fullySharded: true }]) {
      const { error } = await runCommand(plan, { model: llama, set: [], ...options });
      expect(String(error)).toContain('--devices and --fully-sharded need a GPU to plan for.');
    }
  });
});
