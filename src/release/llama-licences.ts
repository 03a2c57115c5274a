/** @module What Meta's community licences ask of whoever passes on a model made from a Llama: section 1.b of each. */

export interface LlamaTerms {
  readonly name: string;
  /** Where Meta has the text. */
  readonly link: string;
  /** What the text must be found to call itself, in small letters. */
  readonly title: string;
  /** The attribution that a "Notice" text file must hold (1.b.iii). */
  readonly notice: string;
  /** The acceptable use policy, part of the agreement (1.b.iv). */
  readonly usePolicy: string;
  /** What must be displayed (1.b.i); null where nothing must. */
  readonly display: string | null;
  /** What the model's name must begin with (1.b.i); null where it need not. */
  readonly nameBegins: string | null;
}

/** Those of 3.1 and later differ in their number alone. */
function laterTerms(version: string, site: string): LlamaTerms {
  const path = `${site}/llama${version.replace('.', '_')}`;
  return {
    name: `Llama ${version} Community License`,
    link: `${path}/license`,
    title: `llama ${version} community license`,
    notice: `Llama ${version} is licensed under the Llama ${version} Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.`,
    usePolicy: `${path}/use-policy`,
    display: 'Built with Llama',
    nameBegins: 'Llama',
  };
}

/** By the hub's identifier. */
export const LLAMA_LICENCES: Readonly<Record<string, LlamaTerms>> = {
  llama2: {
    name: 'Llama 2 Community License',
    link: 'https://ai.meta.com/llama/license',
    title: 'llama 2 community license',
    notice:
      'Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved.',
    usePolicy: 'https://ai.meta.com/llama/use-policy',
    display: null,
    nameBegins: null,
  },
  llama3: {
    name: 'Meta Llama 3 Community License',
    link: 'https://llama.meta.com/llama3/license',
    title: 'llama 3 community license',
    notice:
      'Meta Llama 3 is licensed under the Meta Llama 3 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.',
    usePolicy: 'https://llama.meta.com/llama3/use-policy',
    display: 'Built with Meta Llama 3',
    nameBegins: 'Llama 3',
  },
  'llama3.1': laterTerms('3.1', 'https://llama.meta.com'),
  'llama3.2': laterTerms('3.2', 'https://www.llama.com'),
  'llama3.3': laterTerms('3.3', 'https://www.llama.com'),
};

/** A repository's name has hyphens where prose has spaces. @param name without the owner. */
export function beginsAsAsked(name: string, { nameBegins }: Pick<LlamaTerms, 'nameBegins'>): boolean {
  return nameBegins === null || name.replaceAll(/[-_]/g, ' ').startsWith(nameBegins);
}

/** The name itself, or one that begins as the licence asks. @param name without the owner. */
export function asAsked(name: string, terms: Pick<LlamaTerms, 'nameBegins'>): string {
  if (beginsAsAsked(name, terms)) return name;
  // Meta put its own name first in Llama 3's.
  const short = name.replace(/^meta-/i, '');
  return beginsAsAsked(short, terms) ? short : `${terms.nameBegins?.replaceAll(' ', '-')}-${name}`;
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ');

/** Whether a text holds a sentence, however its lines are broken. */
export function holds(text: string, sentence: string): boolean {
  return oneLine(text).includes(oneLine(sentence));
}
