/** `byteify serve` in a process of its own, on a golden model with room for longer texts than its config says. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Running, startCli } from './cli.js';
import { goldenPath } from './golden.js';

/** Positions; the weights do not depend on them. */
const ROOM = 8192;

/** @returns the copy, with a chat template */
export function roomyModel(work: string): string {
  const folder = join(work, 'golden');
  cpSync(goldenPath('plain/blt'), folder, { recursive: true });
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  for (const part of [config, ...['encoder', 'decoder', 'patcher', 'global'].map((name) => config[`${name}_config`])])
    part.max_position_embeddings = ROOM;
  writeFileSync(path, JSON.stringify(config));
  const template =
    '{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';
  writeFileSync(join(folder, 'chat_template.jinja'), template);
  return folder;
}

export interface Serving extends Running {
  readonly url: string;
  /** Its one document. */
  readonly document: Record<string, unknown>;
}

/** Settles when it listens. */
export async function startServing(args: readonly string[], env: Record<string, string> = {}): Promise<Serving> {
  const running = startCli(['serve', ...args, '--port', '0', '--json'], { env });
  let stdout = '';
  const document = await new Promise<Record<string, unknown>>((resolve, reject) => {
    running.child.stdout!.on('data', (chunk: string) => {
      stdout += chunk;
      if (stdout.endsWith('}\n')) resolve(JSON.parse(stdout));
    });
    running.finished.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}:\n${stderr}`)), reject);
  });
  return { ...running, document, url: String(document.url) };
}
