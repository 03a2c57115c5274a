/** @module The inputs of a model card. */
import type { Manifest } from '../../conversion/index.js';
import type { DataSource, Recipe } from '../../recipe/index.js';
import { type Provenance, provenanceOf } from '../provenance.js';

/** The amount of data that a conversion read, in documents and bytes. */
export interface TextFacts {
  /** Its domains, if there are several. */
  readonly domains: readonly { readonly name: string; readonly trainBytes: number }[];
  readonly documents: number;
  readonly trainBytes: number;
  readonly heldOutBytes: number;
}

/** Everything comes from the conversion's manifest and folder; a plain checkpoint provides less. */
export interface CardInputs {
  /** The card's title. */
  readonly name: string;
  readonly provenance: Provenance;
  /** Languages of the training text, as ISO 639 codes. */
  readonly languages: readonly string[];
  /** The recipe of the training; null if it is unknown. */
  readonly recipe: Recipe | null;
  readonly text: TextFacts | null;
  /** Names of the licence files in the card's folder. */
  readonly licenceFiles: readonly string[];
  /** `license_link` of the source's own card. */
  readonly licenceLink: string | null;
}

/** Collects the inputs of a card. @param manifest null for a plain checkpoint folder, of which only the name and the options are known. */
export function cardFromManifest(
  manifest: Manifest | null,
  options: Pick<CardInputs, 'name'> &
    Partial<Omit<CardInputs, 'provenance'>> & { readonly dataSources?: readonly DataSource[] | undefined },
): CardInputs {
  const {
    dataSources = [],
    languages = [],
    recipe = null,
    text = null,
    licenceFiles = [],
    licenceLink = null,
  } = options;
  const stated = dataSources.flatMap(({ language = [] }) => language);
  return {
    name: options.name,
    provenance: provenanceOf(manifest, dataSources, recipe),
    languages: [...new Set([...languages, ...stated])],
    recipe,
    text,
    licenceFiles,
    licenceLink,
  };
}

/** Facts about the model itself. */
export interface CardModel {
  readonly parameters: number;
  readonly dtype: 'float32' | 'bfloat16';
  readonly globalLayers: number;
  readonly globalHiddenSize: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly localHiddenSize: number;
  readonly patchingThreshold: number;
  /** The longest text, in bytes. */
  readonly maxBytes: number;
}
