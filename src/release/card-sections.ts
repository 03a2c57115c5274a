/** @module What a card must speak of: the headings of its sections, in order. */

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

/** The sections that a card lacks, or has nothing under. */
export function missingSections(body: string): CardSection[] {
  const sections = new Map(
    body.split(/^## /m).map((part) => {
      const [heading = '', ...text] = part.split('\n');
      return [heading.trim(), text.join('\n').trim()];
    }),
  );
  return CARD_SECTIONS.filter((section) => !sections.get(section));
}
