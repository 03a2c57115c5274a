// Finds near duplicates among many signatures by locality-sensitive hashing: only texts that agree in all rows of a band are compared.
import { PERMUTATIONS, similarity } from './minhash.mjs';
import { mixed } from './mixed.mjs';

/** 32 bands of 4 rows find a pair of similarity 0.8 with a probability above 0.9999; the comparison then removes false candidates. */
const BAND_ROWS = 4;
const BANDS = PERMUTATIONS / BAND_ROWS;

export const NEAR = 0.8;

/** The key of a band's rows. Bands with the same key by accident are told apart by the comparison. */
function bandKey(signature, band) {
  let key = 0;
  for (let row = band * BAND_ROWS; row < (band + 1) * BAND_ROWS; row++) key = mixed(key ^ signature[row]);
  return key | 0;
}

/**
 * An index of texts. `T` describes a text to the caller.
 * @template T
 */
export class NearDuplicates {
  /** For each band, the texts by key. @type {Map<number, number[]>[]} */
  #bands = Array.from({ length: BANDS }, () => new Map());
  /** @type {{ signature: Uint32Array, owner: T }[]} */
  #texts = [];

  /**
   * Adds a text unless a near duplicate was added before.
   * @param {Uint32Array} signature
   * @param {T} owner
   * @returns {T | null} the owner of the near duplicate, or null if the text is now in the index
   */
  add(signature, owner) {
    const keys = this.#bands.map((_, band) => bandKey(signature, band));
    const candidates = new Set(this.#bands.flatMap((texts, band) => texts.get(keys[band]) ?? []));
    for (const i of candidates)
      if (similarity(signature, this.#texts[i].signature) >= NEAR) return this.#texts[i].owner;
    this.#bands.forEach((texts, band) => {
      const sharing = texts.get(keys[band]);
      if (sharing === undefined) texts.set(keys[band], [this.#texts.length]);
      else sharing.push(this.#texts.length);
    });
    this.#texts.push({ signature, owner });
    return null;
  }
}
