/** @module The sections that a model card must have, in order. */

export const CARD_SECTIONS = [
  'Load it',
  'The model',
  'How it was made',
  'Results',
  'Training data',
  'Limits',
  'Biases',
  'Intended use and misuse',
  'Licence and attribution',
] as const;

export type CardSection = (typeof CARD_SECTIONS)[number];

/** The required sections that are missing or empty in the body of a card. */
export function missingSections(body: string): CardSection[] {
  const sections = new Map(
    body.split(/^## /m).map((part) => {
      const [heading = '', ...text] = part.split('\n');
      return [heading.trim(), text.join('\n').trim()];
    }),
  );
  return CARD_SECTIONS.filter((section) => !sections.get(section));
}
