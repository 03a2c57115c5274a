import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { longGolden } from '../support/long-golden.js';
import { askPeer, peersPython } from '../support/peers.js';
import { type Serving, startServing } from '../support/serving.js';

const PROMPT = 'Ein Satz, ça va';

interface Got {
  readonly models: string[];
  readonly texts: string[];
  readonly tokens: string[][];
  readonly token_logprobs: (number | null)[][];
  readonly streamed: string;
  readonly langchain: string;
  readonly llama_index: string;
}

describe.skipIf(peersPython() === null)('clients of OpenAI’s API', () => {
  let folder = '';
  let serving: Serving;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'byteify-clients-'));
    serving = await startServing([await longGolden(join(folder, 'model')), '--name', 'blt']);
  });
  afterAll(async () => {
    serving.child.kill();
    await serving.finished.catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  });

  it('get the same texts and log-probabilities: OpenAI’s in Python and Node, LangChain’s, LlamaIndex’s', async () => {
    const baseURL = `${serving.url}/v1`;
    const got = await askPeer<Got>('clients.py', [baseURL, 'blt', PROMPT]);
    const client = new OpenAI({ baseURL, apiKey: 'none' });
    const options = { model: 'blt', max_tokens: 12, temperature: 0 } as const;
    const { choices } = await client.completions.create({
      ...options,
      prompt: [PROMPT, `${PROMPT}.`],
      echo: true,
      logprobs: 1,
    });
    expect(got.models).toEqual(['blt']);
    expect(got.texts).toEqual(choices.map(({ text }) => text));
    expect(got.tokens).toEqual(choices.map(({ logprobs }) => logprobs!.tokens));
    for (const [i, { logprobs }] of choices.entries())
      for (const [at, value] of got.token_logprobs[i]!.entries())
        if (value !== null) expect(logprobs!.token_logprobs![at]).toBeCloseTo(value, 3);
    const written = choices[0]!.text.slice(PROMPT.length);
    expect([got.streamed, got.langchain, got.llama_index]).toEqual([written, written, written]);
  });
});
