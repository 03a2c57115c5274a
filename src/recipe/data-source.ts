/** @module The source and licence of training text, as a model card must state them. */
import { z } from 'zod';

const PART = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9])?';

const text = (rule: RegExp, must: string) => z.string(must).regex(rule, must);

/** An ISO 639-1, -2 or -3 code, or one of the hub's codes for no particular language. */
export const languageCode = text(
  /^(?:[a-z]{2,3}|code|multilingual)$/,
  'must be an ISO 639 code of two or three lowercase letters',
);

/** The owner is optional: the hub has a few data sets without one. */
export const datasetId = text(
  new RegExp(`^(?:${PART}/)?${PART}$`),
  'must be the id of a data set on the hub (owner/name)',
);

const notBlank = z
  .string()
  .min(1)
  .refine((value) => value.trim() !== '', 'must not be blank');

export const dataSource = z.strictObject({
  name: notBlank.describe('Name of the data set or text.'),
  license: notBlank.describe('Licence: the hub’s identifier, another licence’s name, or `unknown`.'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/^\w+:\/+[^/]*@/.test(url), 'must not contain a user name or a password')
    .optional()
    .describe('Where to find it.'),
  hub_id: datasetId.optional().describe('Its data set id on the hub.'),
  language: z.array(languageCode).optional().describe('Its languages, as ISO 639-1 codes.'),
});

export type DataSource = z.output<typeof dataSource>;
