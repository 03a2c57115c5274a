import { describe, expect, it } from 'vitest';
import { recordText } from '../../src/data/record-text.js';

const of = (json: string, key = 'text') => recordText(Buffer.from(json), key);

describe('the text of a record', () => {
  it('is the value of the key', () => {
    expect(of('{"text": "caf\\u00e9 \\ud83d\\uddfc\\u0000"}')).toEqual({ text: 'café 🗼\0' });
    expect(of('{"content": "a", "text": 3}', 'content')).toEqual({ text: 'a' });
    // C4 and Dolma have other keys beside it, and objects that contain it again.
    expect(of('{"text": "a", "metadata": {"text": "b", "\\"text\\"": 1}, "url": "\\"text\\""}')).toEqual({ text: 'a' });
    expect(of('{"metadata": {"text": "b"}, "text": "a"}')).toEqual({ text: 'a' });
  });

  it.each([
    ['{"content": "a", "path": "x.py"}', 'it has no key "text", but it has "content"; to read that, set the text key'],
    ['{"raw_content": "a", "doc_id": "1"}', 'but it has "raw_content"'],
    ['{"messages": [{"role": "user", "content": "hi"}]}', 'but a chat under "messages"; render chats to text first'],
    ['{"conversations": [{"from": "human", "value": "hi"}]}', 'but a chat under "conversations"'],
    ['{"instruction": "a", "output": "b"}', 'it has no key "text" (it has instruction, output)'],
    ['{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}', '(it has a, b, c, d, e, …)'],
    ['{"text": null}', 'the value of "text" is null, not a string'],
    ['{"text": ["a"]}', 'the value of "text" is a list, not a string'],
    ['{"text": {"a": 1}}', 'the value of "text" is an object, not a string'],
    ['{"text": ""}', 'the text under "text" is empty'],
    ['{"text": "a\\ud800b"}', 'a lone surrogate'],
    ['{"text": "a", "text": "b"}', 'it has the key "text" twice'],
    ['{"text": "a", "id": 1, "te\\u0078t": "b", "text": "c"}', 'it has the key "text" twice'],
    ['[1]', 'it is a list, not a JSON object'],
    ["{'text': 'a'}", 'it is not JSON: single quotes'],
    ['{"text": "a", "p": NaN}', 'it is not JSON: NaN'],
  ])('is missing in %s', (json, reason) => {
    expect(of(json)).toMatchObject({ reason: expect.stringContaining(reason) });
  });

  it('is missing in invalid UTF-8', () => {
    expect(recordText(Buffer.from('{"text": "caf\xe9"}', 'latin1'), 'text')).toMatchObject({
      reason: 'it is not valid UTF-8',
    });
  });
});
