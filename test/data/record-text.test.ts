import { describe, expect, it } from 'vitest';
import { recordText } from '../../src/data/record-text.js';

const of = (json: string, key = 'text') => recordText(Buffer.from(json), key);

describe('the text of a record', () => {
  it('stands under the key', () => {
    expect(of('{"text": "caf\\u00e9 \\ud83d\\uddfc\\u0000"}')).toEqual({ text: 'café 🗼\0' });
    expect(of('{"content": "a", "text": 3}', 'content')).toEqual({ text: 'a' });
    // C4 and Dolma have other keys beside it, and objects in which it stands again.
    expect(of('{"text": "a", "metadata": {"text": "b", "\\"text\\"": 1}, "url": "\\"text\\""}')).toEqual({ text: 'a' });
    expect(of('{"metadata": {"text": "b"}, "text": "a"}')).toEqual({ text: 'a' });
  });

  it.each([
    ['{"content": "a", "path": "x.py"}', 'it has no key "text" but "content"; to read that, set the text key'],
    ['{"raw_content": "a", "doc_id": "1"}', 'but "raw_content"'],
    ['{"messages": [{"role": "user", "content": "hi"}]}', 'but a chat under "messages"; write chats as text first'],
    ['{"conversations": [{"from": "human", "value": "hi"}]}', 'but a chat under "conversations"'],
    ['{"instruction": "a", "output": "b"}', 'it has no key "text" (it has instruction, output)'],
    ['{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}', '(it has a, b, c, d, e, …)'],
    ['{"text": null}', 'what stands under "text" is no text but null'],
    ['{"text": ["a"]}', 'what stands under "text" is no text but a list'],
    ['{"text": {"a": 1}}', 'what stands under "text" is no text but an object'],
    ['{"text": ""}', 'the text under "text" is empty'],
    ['{"text": "a\\ud800b"}', 'half of a surrogate pair'],
    ['{"text": "a", "text": "b"}', 'the key "text" stands twice'],
    ['{"text": "a", "id": 1, "te\\u0078t": "b", "text": "c"}', 'the key "text" stands twice'],
    ['[1]', 'it is no JSON object but a list'],
    ["{'text': 'a'}", 'it is not JSON: single quotes'],
    ['{"text": "a", "p": NaN}', 'it is not JSON: NaN'],
  ])('is missed in %s', (json, reason) => {
    expect(of(json)).toMatchObject({ reason: expect.stringContaining(reason) });
  });

  it('is missed in what is no UTF-8', () => {
    expect(recordText(Buffer.from('{"text": "caf\xe9"}', 'latin1'), 'text')).toMatchObject({
      reason: 'it is not valid UTF-8',
    });
  });
});
