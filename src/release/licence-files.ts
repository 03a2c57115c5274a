/** @module Licence files of a source, which must be distributed with derived models. */
import { isLicenceFile } from '../hub/files.js';
import { containsSentence, type LlamaTerms } from './llama-licences.js';

export type LicenceFileKind = 'text' | 'notice' | 'policy';

/** The kind of a licence file, from its name; null for other files. */
export function licenceFileKind(name: string): LicenceFileKind | null {
  if (!isLicenceFile(name)) return null;
  if (/^notice/i.test(name)) return 'notice';
  return /^use/i.test(name) ? 'policy' : 'text';
}

/** The names of one kind, sorted. */
export function licenceFilesOf(names: Iterable<string>, kind: LicenceFileKind): string[] {
  return [...names].filter((name) => licenceFileKind(name) === kind).sort();
}

/** The notice file that a Llama licence requires: the source's own, with the required attribution added if it is missing. */
export function noticeWith(terms: LlamaTerms, files: ReadonlyMap<string, string>): { name: string; text: string } {
  const [name = 'NOTICE'] = licenceFilesOf(files.keys(), 'notice');
  const text = files.get(name) ?? '';
  if (containsSentence(text, terms.notice)) return { name, text };
  return { name, text: `${text.trim() === '' ? '' : `${text.trimEnd()}\n\n`}${terms.notice}\n` };
}
