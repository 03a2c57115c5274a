/** @module Whether an exported folder may be published as it is. */
import { CARD_REQUIREMENTS } from './card-requirements.js';
import { LICENCE_REQUIREMENTS } from './licence-requirements.js';
import { type ReleaseMetadata, type ReleaseQuestion, readReleaseMetadata } from './metadata-requirements.js';
import type { Violation } from './violation.js';

/** What every requirement finds, in the order of the tables. */
function violationsOf(metadata: ReleaseMetadata): Violation[] {
  return [...Object.values(CARD_REQUIREMENTS), ...Object.values(LICENCE_REQUIREMENTS)].flatMap((requirement) =>
    requirement(metadata),
  );
}

/**
 * Reads the card, the recipe, the provenance and the licence files of the folder, not its weights.
 * @returns what is missing; nothing when the folder can be published
 * @throws what reading the folder throws
 * @example await releaseViolations({ folder: 'llama-blt/blt', manifest, repository: 'me/Llama-3.2-1B-BLT', acceptedLicense: null })
 */
export async function releaseViolations(question: ReleaseQuestion): Promise<readonly Violation[]> {
  return violationsOf(await readReleaseMetadata(question));
}
