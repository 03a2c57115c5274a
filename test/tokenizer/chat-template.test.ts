import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { BOS, EOS, encodeBytes } from '../../src/blt/index.js';
import { openChatPrompts, requireChat } from '../../src/generate/index.js';
import {
  type ChatMessage,
  type ChatTemplate,
  createChatTemplate,
  readChatTemplate,
} from '../../src/tokenizer/index.js';
import { CHATML, LLAMA3, ZEPHYR } from '../support/chat-templates.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

const CHAT: readonly ChatMessage[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi – 東京?' },
  { role: 'assistant', content: 'Yes.' },
  { role: 'user', content: 'More.' },
];

const BEGIN = { token: 'bos' } as const;
const END = { token: 'eos' } as const;

const opened: ChatTemplate[] = [];
afterEach(() => {
  for (const template of opened.splice(0)) template.close();
});

function templateOf(template: string): ChatTemplate {
  const created = createChatTemplate({ template, path: 'my-model/chat_template.jinja' });
  opened.push(created);
  return created;
}

const renderChat = (template: string, messages: readonly ChatMessage[]) => templateOf(template).render(messages);
const replyEnd = (template: string) => templateOf(template).replyEnd();

describe('a conversation, rendered in a template', () => {
  it('like ChatML, has its turns', async () => {
    expect(await renderChat(CHATML, CHAT)).toEqual([
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi – 東京?<|im_end|>\n' +
        '<|im_start|>assistant\nYes.<|im_end|>\n<|im_start|>user\nMore.<|im_end|>\n<|im_start|>assistant\n',
    ]);
    expect(await replyEnd(CHATML)).toBe('<|im_end|>');
  });

  it('like Llama 3’s, begins with BOS and is trimmed', async () => {
    expect(await renderChat(LLAMA3, [{ role: 'user', content: '  Hi \n' }])).toEqual([
      BEGIN,
      '<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    ]);
    expect(await replyEnd(LLAMA3)).toBe('<|eot_id|>');
  });

  it('like Zephyr’s, ends turns with EOS', async () => {
    expect(await renderChat(ZEPHYR, CHAT.slice(1, 4))).toEqual([
      '<|user|>\nHi – 東京?',
      END,
      '\n<|assistant|>\nYes.',
      END,
      '\n<|user|>\nMore.',
      END,
      '\n<|assistant|>\n',
    ]);
    expect(await replyEnd(ZEPHYR)).toBeNull();
  });

  it.each([
    [
      'refuses a short conversation',
      "{% if messages[0].role != 'system' %}{{ raise_exception('no') }}{% endif %}<end>",
    ],
    ['is not a template', '{% if %}<end>'],
    ['omits the reply', '{% for message in messages %}<turn>{% endfor %} and the end'],
  ])('has no end of a reply if the template %s', async (_, template) => {
    expect(await replyEnd(template)).toBeNull();
  });

  it('has no end of a reply if the template puts nothing after it', async () => {
    const bare = '{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}';
    expect(await replyEnd(bare)).toBeNull();
    expect(await renderChat(bare, [{ role: 'user', content: 'Hi' }])).toEqual(['user: Hi\n']);
  });

  it('has no tools and no documents, as in transformers', async () => {
    const told = '{{ "tools" if tools is not none else "-" }}{{ "documents" if documents is not none else "-" }}';
    expect(await renderChat(told, [])).toEqual(['--']);
  });

  it('has the line ends and spaces around blocks removed, as in transformers', async () => {
    expect(await renderChat('{% if true %}\n  {% if true %}\nx\n  {% endif %}\n{% endif %}\n', [])).toEqual(['x\n']);
  });

  it.each([
    ['an unknown role', LLAMA3, [{ role: 'robot', content: 'Hi' }], 'Unknown role robot'],
    ['turns out of order', ZEPHYR, [CHAT[1]!, CHAT[3]!], 'Roles must alternate'],
  ])('is refused for %s, in one sentence with a hint', async (_, template, messages, reason) => {
    await expect(renderChat(template, messages)).rejects.toMatchObject({
      message: `The model’s chat template does not take these messages: ${reason}.`,
      exitCode: 2,
      hint: expect.stringMatching(/roles/),
    });
  });

  it('is refused if the template is not Jinja', async () => {
    await expect(renderChat('{% for %}', CHAT)).rejects.toThrow(/chat template does not take these messages/);
  });

  it('gets no special token from a user’s text or from a role', async () => {
    const marks = ['\uFDD0', '\uFDD1', '\uFDD2'].join('x');
    const parts = await renderChat('{{ bos_token }}{{ messages[0].role }}|{{ messages[0].content }}', [
      { role: marks, content: `<s>${marks}</s>` },
    ]);
    expect(parts).toEqual([BEGIN, '\uFFFDx\uFFFDx\uFFFD|<s>\uFFFDx\uFFFDx\uFFFD</s>']);
  });
});

describe('the template of a folder', () => {
  const config = (template: unknown) =>
    writeFile(join(folder(), 'tokenizer_config.json'), JSON.stringify({ chat_template: template }));

  it('is its own file, else the one in tokenizer_config.json', async () => {
    expect(await readChatTemplate(folder())).toBeNull();
    await config('from the config');
    expect(await readChatTemplate(folder())).toBe('from the config');
    await writeFile(join(folder(), 'chat_template.jinja'), 'from the file');
    expect(await readChatTemplate(folder())).toBe('from the file');
  });

  it('is, of several with names, the default one, else the first', async () => {
    const named = [
      { name: 'tool_use', template: 'tools' },
      { name: 'default', template: 'plain' },
    ];
    await config(named);
    expect(await readChatTemplate(folder())).toBe('plain');
    await config(named.slice(0, 1));
    expect(await readChatTemplate(folder())).toBe('tools');
  });

  it.each([[undefined], [null], [[]], [{}], [[{ name: 'default' }]]])('is none for %j', async (template) => {
    await config(template);
    expect(await readChatTemplate(folder())).toBeNull();
  });

  it('is not read from invalid JSON, or from a folder', async () => {
    await writeFile(join(folder(), 'tokenizer_config.json'), '{');
    await expect(readChatTemplate(folder())).rejects.toThrow(/tokenizer_config\.json is not JSON: it is truncated\./);
    await mkdir(join(folder(), 'chat_template.jinja'));
    await expect(readChatTemplate(folder())).rejects.toThrow(/chat_template\.jinja cannot be read: /);
  });
});

describe('the prompt of a conversation', () => {
  const bytes = (text: string) => [...encodeBytes(Buffer.from(text), { bos: false })];

  it('has one BOS, EOS where the template puts it, and everything else as bytes', async () => {
    await writeFile(join(folder(), 'chat_template.jinja'), ZEPHYR);
    const zephyr = requireChat(await openChatPrompts(folder()), 'x');
    expect(await zephyr.promptOf([{ role: 'user', content: 'é' }])).toEqual({
      ids: [BOS, ...bytes('<|user|>\né'), EOS, ...bytes('\n<|assistant|>\n')],
      stops: [],
    });
    zephyr.close();
    await writeFile(join(folder(), 'chat_template.jinja'), LLAMA3);
    const llama = requireChat(await openChatPrompts(folder()), 'x');
    const { ids, stops } = await llama.promptOf([{ role: 'user', content: 'é' }]);
    expect(ids.filter((id) => id === BOS || id === EOS)).toEqual([BOS]);
    expect(ids[0]).toBe(BOS);
    expect(stops).toEqual([new TextEncoder().encode('<|eot_id|>')]);
    llama.close();
  });

  it('is refused if the model has no template', async () => {
    const chat = await openChatPrompts(folder());
    expect(chat).toBeNull();
    expect(() => requireChat(chat, 'my-blt')).toThrow(/^my-blt has no chat template: [^.]+\.$/);
  });
});
