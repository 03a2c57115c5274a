/** @module The Hugging Face hub: where its cache is, whether a token is at hand. Asks nothing of the network, prints no token. */

import { constants, existsSync, readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Check } from './check.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The same variables, in the same order, as Python's huggingface_hub. */
export function hubFolders(env: Environment): { cache: string; tokenFile: string } {
  const home = env.HF_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'huggingface');
  return {
    cache: env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub'),
    tokenFile: env.HF_TOKEN_PATH || join(home, 'token'),
  };
}

export async function checkHubCache(env: Environment = process.env): Promise<Check> {
  const { cache } = hubFolders(env);
  let existing = cache;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const offline = ['1', 'true', 'yes', 'on'].includes((env.HF_HUB_OFFLINE ?? '').toLowerCase()) ? ', offline' : '';
  const ok = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  const detail = `${cache}${existsSync(cache) ? '' : ' (not made yet)'}${offline}`;
  return {
    name: 'hub cache',
    required: false,
    ok,
    detail,
    mend: ok ? null : `make ${existing} writable, or set HF_HOME`,
  };
}

export function checkHubToken(env: Environment = process.env): Check {
  const check = { name: 'hub token', required: false };
  if (env.HF_TOKEN) return { ...check, ok: true, detail: 'from HF_TOKEN', mend: null };
  const { tokenFile } = hubFolders(env);
  try {
    if (readFileSync(tokenFile, 'utf8').trim() !== '')
      return { ...check, ok: true, detail: `in ${tokenFile}`, mend: null };
  } catch {
    // No file: the same as an empty one.
  }
  return { ...check, ok: false, detail: 'none', mend: 'set HF_TOKEN; only gated models and publishing need one' };
}
