/** @module Checks whether an exported folder may be published. */
import { CARD_REQUIREMENTS } from './card-requirements.js';
import { LICENCE_REQUIREMENTS } from './licence-requirements.js';
import { type ReleaseMetadata, type ReleaseOptions, readReleaseMetadata } from './metadata-requirements.js';
import type { Violation } from './violation.js';

/** The violations of all requirements, in the order of the tables. */
function violationsOf(metadata: ReleaseMetadata): Violation[] {
  return [...Object.values(CARD_REQUIREMENTS), ...Object.values(LICENCE_REQUIREMENTS)].flatMap((requirement) =>
    requirement(metadata),
  );
}

/**
 * Checks the card, the recipe, the provenance and the licence files of the folder, but not its weights.
 * @returns all violations; empty if the folder can be published.
 * @throws the errors of reading the folder.
 * @example await releaseViolations({ folder: 'llama-blt/blt', manifest, repository: 'me/Llama-3.2-1B-BLT', acceptedLicense: null })
 */
export async function releaseViolations(options: ReleaseOptions): Promise<readonly Violation[]> {
  return violationsOf(await readReleaseMetadata(options));
}
