/** @module The Hugging Face hub: where its cache is, whether a token is at hand. Asks nothing of the network, prints no token. */

import { constants, existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
// Not the folder's index, which loads the hub's client.
import { hubEnvironment } from '../../hub/environment.js';
import type { Check } from './check.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the cache, or the folder that it would be made in, can be written. */
export async function checkHubCache(env: Environment = process.env): Promise<Check> {
  const { cacheDir: cache, offline } = hubEnvironment(env);
  let existing = cache;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const ok = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  const detail = `${cache}${existsSync(cache) ? '' : ' (not made yet)'}${offline ? ', offline' : ''}`;
  return {
    name: 'hub cache',
    required: false,
    ok,
    detail,
    mend: ok ? null : `make ${existing} writable, or set HF_HOME`,
  };
}

/** Whether there is a token, never what it is. */
export function checkHubToken(env: Environment = process.env): Check {
  const check = { name: 'hub token', required: false };
  const { token } = hubEnvironment(env);
  return token === null
    ? { ...check, ok: false, detail: 'none', mend: 'set HF_TOKEN; only gated models and publishing need one' }
    : { ...check, ok: true, detail: env.HF_TOKEN ? 'from HF_TOKEN' : 'from `hf auth login`', mend: null };
}
