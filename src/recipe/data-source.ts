/** @module Where training text comes from and under which terms: what a model card must tell of it. */
import { z } from 'zod';

const PART = '[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,94}[A-Za-z0-9])?';

const text = (rule: RegExp, must: string) => z.string(must).regex(rule, must);

/** ISO 639-1, -2 or -3, or what the hub has for no language in particular. */
export const languageCode = text(
  /^(?:[a-z]{2,3}|code|multilingual)$/,
  'must be a code of two or three small letters, as ISO 639 has it',
);

/** The hub has a few data sets without an owner. */
export const datasetId = text(
  new RegExp(`^(?:${PART}/)?${PART}$`),
  'must be the id of a data set on the hub, owner/name',
);

const notBlank = z
  .string()
  .min(1)
  .refine((value) => value.trim() !== '', 'must not be blank');

export const dataSource = z.strictObject({
  name: notBlank.describe('What it is called.'),
  license: notBlank.describe('Its licence by the hub’s identifier, or the name of another one; unknown, where it is.'),
  url: z
    .url({ protocol: /^https?$/ })
    .refine((url) => !/^\w+:\/+[^/]*@/.test(url), 'must not hold a user name or a password')
    .optional()
    .describe('Where it can be had.'),
  hub_id: datasetId.optional().describe('Its id on the hub.'),
  language: z.array(languageCode).optional().describe('Its languages, ISO 639-1.'),
});

export type DataSource = z.output<typeof dataSource>;
