/** @module The terms of Meta's community licences for distributing a model derived from a Llama: section 1.b of each. */

export interface LlamaTerms {
  readonly name: string;
  /** URL of the text at Meta. */
  readonly link: string;
  /** The title that the licence text must contain, in lowercase. */
  readonly title: string;
  /** The attribution that a "Notice" text file must contain (1.b.iii). */
  readonly notice: string;
  /** URL of the acceptable use policy, which is part of the agreement (1.b.iv). */
  readonly usePolicy: string;
  /** Text that must be displayed (1.b.i); null if there is none. */
  readonly display: string | null;
  /** The required beginning of the model's name (1.b.i); null if there is none. */
  readonly namePrefix: string | null;
}

/** The licences of 3.1 and later differ only in the version number. */
function laterTerms(version: string, site: string): LlamaTerms {
  const path = `${site}/llama${version.replace('.', '_')}`;
  return {
    name: `Llama ${version} Community License`,
    link: `${path}/license`,
    title: `llama ${version} community license`,
    notice: `Llama ${version} is licensed under the Llama ${version} Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.`,
    usePolicy: `${path}/use-policy`,
    display: 'Built with Llama',
    namePrefix: 'Llama',
  };
}

/** Terms by the hub's licence identifier. */
export const LLAMA_LICENCES: Readonly<Record<string, LlamaTerms>> = {
  llama2: {
    name: 'Llama 2 Community License',
    link: 'https://ai.meta.com/llama/license',
    title: 'llama 2 community license',
    notice:
      'Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. All Rights Reserved.',
    usePolicy: 'https://ai.meta.com/llama/use-policy',
    display: null,
    namePrefix: null,
  },
  llama3: {
    name: 'Meta Llama 3 Community License',
    link: 'https://llama.meta.com/llama3/license',
    title: 'llama 3 community license',
    notice:
      'Meta Llama 3 is licensed under the Meta Llama 3 Community License, Copyright © Meta Platforms, Inc. All Rights Reserved.',
    usePolicy: 'https://llama.meta.com/llama3/use-policy',
    display: 'Built with Meta Llama 3',
    namePrefix: 'Llama 3',
  },
  'llama3.1': laterTerms('3.1', 'https://llama.meta.com'),
  'llama3.2': laterTerms('3.2', 'https://www.llama.com'),
  'llama3.3': laterTerms('3.3', 'https://www.llama.com'),
};

/** Whether a name begins as the licence requires; hyphens count as spaces. @param name without the owner. */
export function hasRequiredPrefix(name: string, { namePrefix }: Pick<LlamaTerms, 'namePrefix'>): boolean {
  return namePrefix === null || name.replaceAll(/[-_]/g, ' ').startsWith(namePrefix);
}

/** The name, with the prefix that the licence requires if it lacks it. @param name without the owner. */
export function withRequiredPrefix(name: string, terms: Pick<LlamaTerms, 'namePrefix'>): string {
  if (hasRequiredPrefix(name, terms)) return name;
  // Meta's own names of Llama 3 models begin with "Meta-".
  const short = name.replace(/^meta-/i, '');
  return hasRequiredPrefix(short, terms) ? short : `${terms.namePrefix?.replaceAll(' ', '-')}-${name}`;
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ');

/** Whether a text contains a sentence, regardless of line breaks. */
export function containsSentence(text: string, sentence: string): boolean {
  return oneLine(text).includes(oneLine(sentence));
}
