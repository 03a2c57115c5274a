/** @module Checks of the Hugging Face Hub: the location of its cache, and whether a token is set. Uses no network and prints no token. */

import { constants, existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
// Not the folder's index, which loads the hub's client.
import { hubEnvironment } from '../../hub/environment.js';
import type { Check } from './check.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Checks that the cache, or the folder in which it would be created, is writable. */
export async function checkHubCache(env: Environment = process.env): Promise<Check> {
  const { cacheDir: cache, offline } = hubEnvironment(env);
  let existing = cache;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const ok = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  const detail = `${cache}${existsSync(cache) ? '' : ' (not created yet)'}${offline ? ', offline' : ''}`;
  return {
    name: 'hub cache',
    required: false,
    ok,
    detail,
    mend: ok ? null : `make ${existing} writable, or set HF_HOME`,
  };
}

/** Checks whether a token is set, without revealing it. */
export function checkHubToken(env: Environment = process.env): Check {
  const check = { name: 'hub token', required: false };
  const { token } = hubEnvironment(env);
  return token === null
    ? { ...check, ok: false, detail: 'none', mend: 'set HF_TOKEN; only gated models and publishing need one' }
    : { ...check, ok: true, detail: env.HF_TOKEN ? 'from HF_TOKEN' : 'from `hf auth login`', mend: null };
}
