/** @module The hub's settings from environment variables, as Python's huggingface_hub reads them. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export interface HubEnvironment {
  readonly endpoint: string;
  readonly cacheDir: string;
  readonly token: string | null;
  readonly offline: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

function isOn(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}

/** Expands a leading ~ and variables ($NAME or ${NAME}); an unset variable is left unchanged. */
function expand(path: string, env: Environment): string {
  const home = path === '~' || path.startsWith('~/') ? (env.HOME || homedir()) + path.slice(1) : path;
  return home.replace(/\$(?:(\w+)|\{(\w+)\})/g, (text, bare, braced) => env[bare ?? braced] ?? text);
}

/** Removes line ends, which are often pasted along with a token; an empty token becomes null. */
function clean(token: string | undefined): string | null {
  return (token ?? '').replace(/[\r\n]/g, '').trim() || null;
}

function tokenFrom(path: string): string | null {
  try {
    return clean(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

/**
 * Reads the hub's settings. The token comes from HF_TOKEN, else HUGGING_FACE_HUB_TOKEN, else the file that `hf auth login` writes. The
 * endpoint has no trailing slash.
 */
export function hubEnvironment(env: Environment = process.env): HubEnvironment {
  const home = expand(env.HF_HOME || join(env.XDG_CACHE_HOME || '~/.cache', 'huggingface'), env);
  return {
    endpoint: (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cacheDir: expand(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE || join(home, 'hub'), env),
    token:
      clean(env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN) ??
      tokenFrom(expand(env.HF_TOKEN_PATH || join(home, 'token'), env)),
    offline: isOn(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE),
  };
}
