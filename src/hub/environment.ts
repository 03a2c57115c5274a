/** @module What the environment says about the hub, as Python's huggingface_hub reads it. */
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

/** A leading ~ and $NAME or ${NAME}; a name that is not set stays as it is written. */
function expand(path: string, env: Environment): string {
  const home = path === '~' || path.startsWith('~/') ? (env.HOME || homedir()) + path.slice(1) : path;
  return home.replace(/\$(?:(\w+)|\{(\w+)\})/g, (text, bare, braced) => env[bare ?? braced] ?? text);
}

/** Tokens are pasted with line ends. */
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

/** The token is HF_TOKEN, then HUGGING_FACE_HUB_TOKEN, then the file that `hf auth login` writes. */
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
