/** @module The front matter of a model card, by the hub's rules for it. */
import { parseDocument, stringify } from 'yaml';
import { z } from 'zod';
import { datasetId, languageCode } from '../recipe/index.js';
import { type HubLicence, isHubLicence } from './hub-licences.js';

const PART = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9])?';
const MODEL_ID = new RegExp(`^${PART}/${PART}$`);
/** What the hub shows as the licence's text: one of two files of the repository, or an address. */
const LICENCE_LINK = /^(?:LICENSE|LICENSE\.md|https?:\/\/\S+)$/;

const text = (rule: RegExp, must: string) => z.string(must).regex(rule, must);
/** The hub takes one value for a list of one. */
const oneOrMore = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(item, 'must be a list').min(1, 'must not be empty'),
  );

/** Keys that are not named here are the author's own. */
const frontMatter = z
  .looseObject(
    {
      license: z.string('must be there').refine(isHubLicence, 'must be an identifier that the hub knows'),
      license_name: text(/^[a-z0-9][a-z0-9._+-]*$/, 'must be an identifier in small letters').optional(),
      license_link: text(LICENCE_LINK, 'must be LICENSE, LICENSE.md or an address').optional(),
      language: oneOrMore(languageCode).optional(),
      library_name: z.literal('transformers', 'must be transformers, which loads the model'),
      pipeline_tag: z.literal('text-generation', 'must be text-generation, which is what the model does'),
      base_model: oneOrMore(text(MODEL_ID, 'must be the id of a model on the hub, owner/name')).optional(),
      base_model_relation: z
        .enum(['finetune', 'adapter', 'merge', 'quantized'], 'must be finetune, adapter, merge or quantized')
        .optional(),
      datasets: oneOrMore(datasetId).optional(),
      tags: oneOrMore(z.string('must be text').min(1, 'must be text')).optional(),
    },
    'must be a mapping of keys',
  )
  .check(({ value, issues }) => {
    const ask = (key: string, asked: boolean, message: string) => {
      if (asked) issues.push({ code: 'custom', path: [key], message, input: value });
    };
    const other = value.license === 'other';
    ask('license_name', other && value.license_name === undefined, 'must be there where license is other');
    ask('license_link', other && value.license_link === undefined, 'must be there where license is other');
    ask('license_name', !other && value.license_name !== undefined, 'must only be there where license is other');
    ask(
      'base_model_relation',
      value.base_model !== undefined && value.base_model_relation === undefined,
      'must be there where base_model is',
    );
    ask(
      'base_model',
      value.base_model === undefined && value.base_model_relation !== undefined,
      'must be there where base_model_relation is',
    );
  });

/** What an export writes; a person may have added to it. */
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

/** Each fault as a sentence that names its key; none where the hub takes it. */
export function frontMatterFaults(value: unknown): string[] {
  const parsed = frontMatter.safeParse(value);
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'The front matter'} ${message}.`);
}

/** The part between the dashes. Quotes what YAML 1.1, which Python reads, takes for something else: `no` is Norwegian. */
export function writeFrontMatter(value: FrontMatter): string {
  return `---\n${stringify(value, { compat: 'yaml-1.1', lineWidth: 0 })}---\n`;
}

export interface ReadCard {
  /** Of any shape; undefined where there is none, or it is no YAML. */
  readonly front: unknown;
  readonly body: string;
}

function yamlIn(yaml: string): unknown {
  const document = parseDocument(yaml);
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS();
  } catch {
    return undefined; // an alias of nothing, such as `title: *Great*`, is found only now
  }
}

/** A card in its two parts. */
export function readCard(card: string): ReadCard {
  const [, front, body = card] = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)([\s\S]*)$/.exec(card) ?? [];
  if (front === undefined) return { front: undefined, body };
  return { front: yamlIn(front), body };
}

/** The licence that a card names, by its `license_name` where that is `other`; null where it names none. */
export function licenceNameOf(front: unknown): string | null {
  if (typeof front !== 'object' || front === null) return null;
  const { license, license_name: name } = front as Record<string, unknown>;
  const named = license === 'other' && typeof name === 'string' ? name : license;
  return typeof named === 'string' ? named : null;
}
