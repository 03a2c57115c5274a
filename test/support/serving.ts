/** `byteify serve` in a separate process. */
import { type Running, startCli } from './cli.js';

interface Choice {
  readonly index: number;
  readonly text: string;
  readonly message: object;
  readonly delta: object;
  readonly logprobs: unknown;
  readonly finish_reason: string | null;
  readonly byteify: {
    readonly bytes: number[];
    readonly entropy_nats: number[];
    readonly begins_patch: boolean[];
  };
}

/** All fields of a server's documents and chunks, each of which has some of them. */
export interface AnswerBody {
  readonly id: string;
  readonly object: string;
  readonly choices: readonly [Choice, ...Choice[]];
  readonly usage: { readonly completion_tokens: number } | null;
  readonly error: { readonly message: string; readonly code: string | null };
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
