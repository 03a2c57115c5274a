import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseModelJson, readModelJson } from '../../src/fs/model-json.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const parse = (text: string) => parseModelJson(Buffer.from(text, 'latin1'), 'c.json', 'Mend it.');

describe('a JSON file of a model', () => {
  it.each([
    [
      'NaN',
      '{\n "a": "NaN",\n "b": NaN}',
      /c\.json is not JSON: NaN, which Python writes .*, at character 7 of line 3/,
    ],
    ['Infinity', '{"a": [0.0, Infinity]}', /: Infinity, which Python/],
    ['-Infinity', '{"a": -Infinity}', /: -Infinity, which Python/],
    ['True', '{"a": True}', /: True, as Python prints/],
    ['None', '{"a": None}', /: None, as Python prints/],
    ['single quotes', "{'a': 1}", /single quotes, as Python prints/],
    ['a comment', '{"a": 1} // theta', /a comment/],
    ['a trailing comma', '{"a": [1, 2,]}', /a trailing comma/],
    ['half of its contents', '{"a": {"b": 1}', /it is truncated/],
    ['zero bytes', '{"a": \0\0\0', /a zero byte/],
    ['invalid UTF-8', '{"a": "\xff"}', /c\.json is not UTF-8/],
    ['a byte order mark', '\xef\xbb\xbf{}', /a byte order mark/],
    ['a list', '[1]', /c\.json is not a JSON object/],
    ['null', 'null', /c\.json is not a JSON object/],
    ['words', 'hello', /c\.json is not JSON: an unquoted word/],
    ['nothing', '', /c\.json is empty/],
    ['a pointer', 'version https://git-lfs.github.com/spec/v1\nsize 1\n', /c\.json is a git-lfs pointer/],
  ])('with %s is refused by that', (_what, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('may say NaN, None and // in its strings', () => {
    expect(parse('{"a": "NaN, None // \\" \'"}')).toEqual({ a: 'NaN, None // " \'' });
  });

  it('that is absent is null; a link to nothing and a folder are not absent', async () => {
    expect(await readModelJson(join(folder(), 'none.json'), '')).toBeNull();
    await symlink('nowhere', join(folder(), 'link.json'));
    await expect(readModelJson(join(folder(), 'link.json'), '')).rejects.toThrow(
      /is a link to nowhere, which does not/,
    );
    await mkdir(join(folder(), 'dir.json'));
    await expect(readModelJson(join(folder(), 'dir.json'), '')).rejects.toThrow(/dir\.json is a folder/);
    await writeFile(join(folder(), 'good.json'), '{"a":1}');
    expect(await readModelJson(join(folder(), 'good.json'), '')).toEqual({ a: 1 });
  });
});
