/** @module The domains of a text store: named parts of the data, each with its kind, its limits and its share of the training. */

/** `text`: documents of valid UTF-8, from text files and JSON. `bytes`: files as they are, each one document. */
export type DomainKind = 'text' | 'bytes';

/** What a store is built from. */
export interface DomainFiles {
  readonly name: string;
  readonly kind: DomainKind;
  /** Files and folders. */
  readonly paths: readonly string[];
  /** Bytes per document chunk. */
  readonly chunkBytes: number;
  /** Whether longer documents are cut into several chunks or left out. */
  readonly longer: 'cut' | 'leave_out';
  /** Its share of the bytes that training reads, relative to the other domains' weights; null for as much as there is of it. */
  readonly weight: number | null;
}

/** The domain of data that belongs to none. */
export const DEFAULT_DOMAIN = 'text';

/** Text in one domain, read as much as there is of it. */
export const textDomain = (paths: readonly string[], chunkBytes: number): DomainFiles => ({
  name: DEFAULT_DOMAIN,
  kind: 'text',
  paths,
  chunkBytes,
  longer: 'cut',
  weight: null,
});

/** The order in which a store reads its domains: those of text first. */
export const inReadingOrder = <D extends Pick<DomainFiles, 'kind'>>(domains: readonly D[]): D[] =>
  [...domains].sort((a, b) => Number(a.kind === 'bytes') - Number(b.kind === 'bytes'));

/** Consecutive chunks of a split, from `from` to before `to`, that belong to one domain. */
export interface DomainRange extends Pick<DomainFiles, 'name' | 'kind' | 'weight'> {
  readonly from: number;
  readonly to: number;
}
