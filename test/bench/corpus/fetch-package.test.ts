import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchPackage } from '../../../bench/corpus/fetch-package.mjs';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();
const ENTRY = { name: 'some-doc', registry: 'deb' };
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const PIN = { version: '1:2-3', file: 'some-doc_2-3_all.deb', sha256: sha256('contents'), bytes: 8 };

/** A registry's client that stores `contents`, and the commands that it was given. */
function clientWith(contents: string) {
  const commands: [string, string[]][] = [];
  const client = (command: [string, string[]], into: string) => {
    commands.push(command);
    writeFileSync(join(into, PIN.file), contents);
    return { status: 0, stderr: '' };
  };
  return { client, commands };
}

describe('fetchPackage', () => {
  it('downloads the pinned version once', () => {
    const { client, commands } = clientWith('contents');
    const path = fetchPackage(ENTRY, PIN, folder(), client);
    expect(readFileSync(path, 'utf8')).toBe('contents');
    expect(fetchPackage(ENTRY, PIN, folder(), client)).toBe(path);
    expect(commands).toEqual([['apt-get', ['download', 'some-doc=1:2-3']]]);
    expect(readdirSync(folder())).toEqual([PIN.file]);
  });

  it('downloads again what an interrupted run left incomplete', () => {
    const { client } = clientWith('contents');
    writeFileSync(join(folder(), PIN.file), 'cont');
    expect(readFileSync(fetchPackage(ENTRY, PIN, folder(), client), 'utf8')).toBe('contents');
  });

  it('refuses another file than the pinned one, and removes it', () => {
    const { client } = clientWith('other');
    expect(() => fetchPackage(ENTRY, PIN, folder(), client)).toThrow(
      `some-doc 1:2-3 is not the pinned file: its sha256 is ${sha256('other')}, but bench/corpus/pins.json expects ` +
        `${PIN.sha256}; the file was removed`,
    );
    expect(readdirSync(folder())).toEqual([]);
  });

  it('says what to do when the registry has no such version', () => {
    const client = () => ({ status: 100, stderr: "W: a warning\nE: Version '1:2-3' for 'some-doc' was not found\n" });
    expect(() => fetchPackage(ENTRY, PIN, folder(), client)).toThrow(
      "some-doc 1:2-3 cannot be downloaded (E: Version '1:2-3' for 'some-doc' was not found). If the registry no longer has " +
        'this version, run npm run bench:corpus -- --update-pins some-doc; results with other versions are not comparable',
    );
    expect(readdirSync(folder())).toEqual([]);
  });
});
