import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BOS, BYTE_OFFSET, encodeBytes } from '../../src/blt/index.js';
import { startEngine } from '../../src/engine/index.js';
import { openChatPrompts, openGenerator, PLAIN_SAMPLING } from '../../src/generate/index.js';
import { openResidentModel } from '../../src/model/index.js';
import { byteTokenizerFiles, openChatTemplate } from '../../src/tokenizer/index.js';
import { CHATML, LLAMA3, ZEPHYR } from '../support/chat-templates.js';
import { longGolden } from '../support/long-golden.js';
import { askPeer, peersPython } from '../support/peers.js';
import { fabricateExport, manifestOf } from '../support/release.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

const PROMPTS = ['Byte latent', 'naïve café, 東京タワー 🎉', 'The quick brown fox jumps. '.repeat(12)];
const COUNT = 48;

describe.skipIf(peersPython() === null)('transformers', () => {
  it('generates the same bytes greedily', async () => {
    const model = await longGolden(join(folder(), 'model'));
    const prompts = PROMPTS.map((text) => [...encodeBytes(Buffer.from(text))]);
    const wanted = await askPeer<number[][]>('generate.py', [
      model,
      `${COUNT}`,
      ...prompts.map((ids) => JSON.stringify(ids)),
    ]);
    await startEngine({ threads: 2 });
    const held = await openResidentModel(model);
    const generator = openGenerator(held, { slots: PROMPTS.length, mode: 'graph' });
    const sampling = { ...PLAIN_SAMPLING, temperature: 0 };
    const texts = prompts.map((prompt) =>
      generator.generate({ prompt, maxBytes: COUNT, sampling, seed: 0, stops: [] }).map(async (text) => {
        const ids: number[] = [];
        for await (const { bytes } of text) ids.push(...Array.from(bytes, (byte) => byte + BYTE_OFFSET));
        return ids;
      }),
    );
    const found = await Promise.all(texts.flat());
    expect(found).toEqual(wanted);
    expect(found.every(({ length }) => length === COUNT)).toBe(true);
    await generator.close();
    held.dispose();
  });

  const NAMED = JSON.stringify({
    chat_template: [
      { name: 'other', template: '' },
      { name: 'default', template: ZEPHYR },
    ],
  });

  it.each([
    ['ChatML', { 'chat_template.jinja': CHATML }],
    ['Llama 3', { 'chat_template.jinja': LLAMA3 }],
    ['Zephyr', { 'tokenizer_config.json': JSON.stringify({ chat_template: ZEPHYR }) }],
    ['several templates', { 'tokenizer_config.json': NAMED }],
  ])('renders conversations with an export as byteify does: %s', async (_, source) => {
    const { folder: blt } = await fabricateExport(folder(), { manifest: manifestOf({}), source });
    const { tokenizerJson, tokenizerConfig } = byteTokenizerFiles();
    await writeFile(join(blt, 'tokenizer.json'), JSON.stringify(tokenizerJson));
    await writeFile(join(blt, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
    const turns = [
      { role: 'user', content: ' Hi – 東京? \n' },
      { role: 'assistant', content: 'Yes 🎉.' },
      { role: 'user', content: '{{ more }}' },
    ];
    const conversations = [turns.slice(0, 1), turns];
    const peer = await askPeer<{ text: string; ids: number[] }[]>('chat.py', [
      blt,
      ...conversations.map((messages) => JSON.stringify(messages)),
    ]);
    const template = await openChatTemplate(blt);
    const prompts = await openChatPrompts(blt);
    const special = { bos: '<s>', eos: '</s>' };
    for (const [i, messages] of conversations.entries()) {
      const pieces = await template!.render(messages);
      expect(pieces.map((piece) => (typeof piece === 'string' ? piece : special[piece.token])).join('')).toBe(
        peer[i]!.text,
      );
      // In byteify a text begins with BOS whether or not the template writes it.
      const { ids } = peer[i]!;
      expect((await prompts!.promptOf(messages)).ids).toEqual(ids[0] === BOS ? ids : [BOS, ...ids]);
    }
    template!.close();
    prompts!.close();
  });
});
