/** @module The front matter of a model card, according to the hub's rules. */
import { parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { datasetId, languageCode } from '../recipe/index.js';
import { type HubLicence, isHubLicence } from './hub-licences.js';

const PART = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9])?';
const MODEL_ID = new RegExp(`^${PART}/${PART}$`);
/** Links that the hub accepts for a licence's text: one of two files in the repository, or a URL. */
const LICENCE_LINK = /^(?:LICENSE|LICENSE\.md|https?:\/\/\S+)$/;

const text = (rule: RegExp, must: string) => z.string(must).regex(rule, must);
/** The hub accepts a single value instead of a list with one item. */
const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(item, 'must be a list').min(1, 'must not be empty'),
  );

/** Other keys are allowed, for the author's use. */
const frontMatter = z
  .looseObject(
    {
      license: z.string('is required').refine(isHubLicence, 'must be an identifier that the hub knows'),
      license_name: text(/^[a-z0-9][a-z0-9._+-]*$/, 'must be an identifier in lowercase letters').optional(),
      license_link: text(LICENCE_LINK, 'must be LICENSE, LICENSE.md or a URL').optional(),
      language: oneOrMore(languageCode).optional(),
      library_name: z.literal('transformers', 'must be transformers, which loads the model'),
      pipeline_tag: z.literal('text-generation', 'must be text-generation, which is what the model does'),
      base_model: oneOrMore(text(MODEL_ID, 'must be the id of a model on the hub (owner/name)')).optional(),
      base_model_relation: z
        .enum(['finetune', 'adapter', 'merge', 'quantized'], 'must be finetune, adapter, merge or quantized')
        .optional(),
      datasets: oneOrMore(datasetId).optional(),
      tags: oneOrMore(z.string('must be text').min(1, 'must be text')).optional(),
    },
    'must be a mapping of keys',
  )
  .check(({ value, issues }) => {
    const report = (key: string, violated: boolean, message: string) => {
      if (violated) issues.push({ code: 'custom', path: [key], message, input: value });
    };
    const other = value.license === 'other';
    report('license_name', other && value.license_name === undefined, 'is required if license is other');
    report('license_link', other && value.license_link === undefined, 'is required if license is other');
    report('license_name', !other && value.license_name !== undefined, 'is only allowed if license is other');
    report(
      'base_model_relation',
      value.base_model !== undefined && value.base_model_relation === undefined,
      'is required with base_model',
    );
    report(
      'base_model',
      value.base_model === undefined && value.base_model_relation !== undefined,
      'is required with base_model_relation',
    );
  });

/** The front matter that an export writes; authors may add keys. */
export interface FrontMatter {
  readonly license: HubLicence;
  readonly license_name?: string;
  readonly license_link?: string;
  readonly language?: readonly string[];
  readonly library_name: 'transformers';
  readonly pipeline_tag: 'text-generation';
  readonly base_model?: string;
  readonly base_model_relation?: 'finetune';
  readonly datasets?: readonly string[];
  readonly tags: readonly string[];
}

/** The faults of a front matter, each as a sentence that names its key; empty if it is valid. */
export function frontMatterFaults(value: unknown): string[] {
  const parsed = frontMatter.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'The front matter'} ${message}.`);
}

/** Writes the front matter between its dashes. Quotes values that YAML 1.1, which Python reads, would misread: `no` is Norwegian. */
export function writeFrontMatter(value: FrontMatter): string {
  return `---\n${stringify(value, { compat: 'yaml-1.1', lineWidth: 0 })}---\n`;
}

export interface ReadCard {
  /** The front matter, of any shape; undefined if there is none or it is not valid YAML. */
  readonly front: unknown;
  readonly body: string;
}

function yamlIn(yaml: string): unknown {
  const document = parseDocument(yaml);
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS();
  } catch {
    return undefined; // an undefined alias, such as `title: *Great*`, is only detected here
  }
}

/** Splits a card into its front matter and its body. */
export function readCard(card: string): ReadCard {
  const [, front, body = card] = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(card) ?? [];
  if (front === undefined) return { front: undefined, body };
  return { front: yamlIn(front), body };
}

/** The licence that a front matter names (`license_name` if `license` is `other`); null if it names none. */
export function licenceNameOf(front: unknown): string | null {
  if (typeof front !== 'object' || front === null) return null;
  const { license, license_name: name } = front as Record<string, unknown>;
  const named = license === 'other' && typeof name === 'string' ? name : license;
  return typeof named === 'string' ? named : null;
}
