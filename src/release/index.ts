/** @module Model cards, provenance, and the requirements of a release and its licences. */

export { withEvaluation } from './card/evaluation-section.js';
export { type CardInputs, type CardModel, cardFromManifest, type TextFacts } from './card/inputs.js';
export { type MetadataFiles, metadataFiles, modelName } from './card/metadata-files.js';
export { modelCard } from './card/model-card.js';
export { CARD_SECTIONS, type CardSection } from './card-sections.js';
export { type FrontMatter, frontMatterFaults, licenceNameOf, readCard, writeFrontMatter } from './front-matter.js';
export { type HubLicence, isHubLicence } from './hub-licences.js';
export { type LicenceFileKind, licenceFileKind, licenceFilesOf, noticeWith } from './licence-files.js';
export { CONCERNS, type Licence, licenceOf } from './licences.js';
export { type LlamaTerms, withRequiredPrefix } from './llama-licences.js';
export { CARD_NAME, type ReleaseOptions } from './metadata-requirements.js';
export {
  lastPart,
  PROVENANCE_NAME,
  type Provenance,
  provenanceOf,
  RECIPE_NAME,
  sourceName,
  type TrainedElsewhere,
} from './provenance.js';
export { releaseViolations } from './release-violations.js';
export type { Violation } from './violation.js';
