import { expect, it } from 'vitest';
import { TARGET_NAMES } from '../../src/accelerator/targets.js';
import { plan } from '../../src/commands/plan.js';
import { engineOptions } from '../../src/commands/shared-options.js';
import { DEVICE_OPTIONS } from '../../src/engine/setup/device-names.js';

const choicesOf = (options: readonly { flags: string; choices?: readonly string[] }[], flag: string) =>
  options.find(({ flags }) => flags.startsWith(`${flag} `))?.choices;

it('--device offers the devices of the engine', () => {
  expect(choicesOf(engineOptions, '--device')).toEqual(DEVICE_OPTIONS);
});

it('plan --target offers the GPUs that stages are compiled for', () => {
  expect(choicesOf(plan.options, '--target')).toEqual(TARGET_NAMES);
});
