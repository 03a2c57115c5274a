/** @module Files of a source that its licence asks to be passed on with what is made from it. */
import { isLicenceFile } from '../hub/files.js';
import { holds, type LlamaTerms } from './llama-licences.js';

export type LicenceFileKind = 'text' | 'notice' | 'policy';

/** @returns null for a file of another kind. */
export function licenceFileKind(name: string): LicenceFileKind | null {
  if (!isLicenceFile(name)) return null;
  if (/^notice/i.test(name)) return 'notice';
  return /^use/i.test(name) ? 'policy' : 'text';
}

/** The files' names of one kind. */
export function licenceFilesOf(names: Iterable<string>, kind: LicenceFileKind): string[] {
  return [...names].filter((name) => licenceFileKind(name) === kind).sort();
}

/** The notices of a Llama licence by their file: the source's own, with the attribution that the licence asks for wherever that is missing. */
export function noticeWith(terms: LlamaTerms, files: ReadonlyMap<string, string>): { name: string; text: string } {
  const [name = 'NOTICE'] = licenceFilesOf(files.keys(), 'notice');
  const text = files.get(name) ?? '';
  if (holds(text, terms.notice)) return { name, text };
  return { name, text: `${text.trim() === '' ? '' : `${text.trimEnd()}\n\n`}${terms.notice}\n` };
}
