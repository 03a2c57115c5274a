/** @module Whether an exported folder may be published as it is. */
import { CARD_DUTIES } from './card-requirements.js';
import { LICENCE_DUTIES } from './licence-requirements.js';
import { type Papers, type ReleaseQuestion, readPapers } from './metadata-requirements.js';
import type { Shortfall } from './violation.js';

/** What every duty finds, in the order of the tables. */
function shortfallsOf(papers: Papers): Shortfall[] {
  return [...Object.values(CARD_DUTIES), ...Object.values(LICENCE_DUTIES)].flatMap((duty) => duty(papers));
}

/**
 * Reads the card, the recipe, the provenance and the licence files of the folder, not its weights.
 * @returns what is missing; nothing when the folder can be published
 * @throws what reading the folder throws
 * @example await releaseShortfalls({ folder: 'llama-blt/blt', manifest, repository: 'me/Llama-3.2-1B-BLT', acceptedLicense: null })
 */
export async function releaseShortfalls(question: ReleaseQuestion): Promise<readonly Shortfall[]> {
  return shortfallsOf(await readPapers(question));
}
