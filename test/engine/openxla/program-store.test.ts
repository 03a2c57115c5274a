import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { storedProgram } from '../../../src/engine/openxla/program-store.js';
import { type Client, createClient } from '../../../src/engine/pjrt/client.js';
import { loadPlugin } from '../../../src/engine/pjrt/plugin.js';
import { requirePlugin } from '../../../src/engine/setup/devices.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
let client: Client;
beforeAll(() => {
  client = createClient(loadPlugin(requirePlugin('cpu-xla')));
});
afterAll(() => client.close());
beforeEach(() => vi.stubEnv('BYTEIFY_HOME', folder()));
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const program = (op: string) => `module @one {
  func.func public @main(%a: tensor<3xf32>) -> (tensor<3xf32>) {
    %0 = stablehlo.${op} %a : tensor<3xf32>
    return %0 : tensor<3xf32>
  }
}`;
const files = () => readdirSync(join(folder(), 'programs'));

it('a program is compiled once, and loaded from the disk afterwards', async () => {
  const compile = vi.spyOn(client, 'compileAsync');
  for (const op of ['negate', 'negate', 'abs']) (await storedProgram(client, program(op))).destroy();
  expect(compile).toHaveBeenCalledTimes(2);
  expect(files()).toHaveLength(2);
});

it('a damaged file is compiled again', async () => {
  (await storedProgram(client, program('negate'))).destroy();
  writeFileSync(join(folder(), 'programs', files()[0]!), 'no program');
  const again = await storedProgram(client, program('negate'));
  expect(again.resultCount).toBe(1);
  again.destroy();
});

it('a folder that cannot be written to costs only time', async () => {
  writeFileSync(join(folder(), 'programs'), 'a file in its place');
  const made = await storedProgram(client, program('negate'));
  expect(made.resultCount).toBe(1);
  made.destroy();
});
