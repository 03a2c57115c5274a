/** @module What a model card is written from. */
import type { Manifest } from '../../conversion/index.js';
import type { DataSource, Recipe } from '../../recipe/index.js';
import { type Provenance, provenanceOf } from '../provenance.js';

/** How much text a conversion read. */
export interface TextFacts {
  readonly documents: number;
  readonly trainBytes: number;
  readonly heldOutBytes: number;
}

/** Everything comes from the manifest and the folder of the conversion; a plain checkpoint knows less. */
export interface CardInputs {
  /** The title. */
  readonly name: string;
  readonly provenance: Provenance;
  /** Of the training text, ISO 639. */
  readonly languages: readonly string[];
  /** How it was trained; null where no recipe is known. */
  readonly recipe: Recipe | null;
  readonly text: TextFacts | null;
  /** Names of the licence's files that lie beside the card. */
  readonly licenceFiles: readonly string[];
  /** `license_link` of the source's own card. */
  readonly licenceLink: string | null;
}

/** @param manifest null for a plain checkpoint folder: then only the name is known, and what the options add. */
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
  const spoken = dataSources.flatMap(({ language = [] }) => language);
  return {
    name: options.name,
    provenance: provenanceOf(manifest, dataSources, recipe),
    languages: [...new Set([...languages, ...spoken])],
    recipe,
    text,
    licenceFiles,
    licenceLink,
  };
}

/** What the card says of the model itself. */
export interface CardModel {
  readonly parameters: number;
  readonly dtype: 'float32' | 'bfloat16';
  readonly globalLayers: number;
  readonly globalHiddenSize: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly localHiddenSize: number;
  readonly patchingThreshold: number;
  /** Longest text in bytes. */
  readonly maxBytes: number;
}
