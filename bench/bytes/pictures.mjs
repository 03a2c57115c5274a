// Pictures that a model continues or makes, and a sheet that shows them.
import { writeFileSync } from 'node:fs';
import { PNG } from 'pngjs';
import { writtenAfter } from '../../dist/report/written-after.js';
import { SIDE } from './media.mjs';

const HEADER = 54;
const BYTES = HEADER + SIDE * SIDE * 3;

/**
 * What the model writes after each prompt, with the prompt before it.
 * @param {any} model @param {readonly Uint8Array[]} prompts @param {number} maxBytes of prompt and text together
 */
async function written(model, prompts, maxBytes) {
  const tasks = prompts.map((prompt) => ({ prompt, maxBytes: maxBytes - prompt.length }));
  const texts = await writtenAfter(model, tasks);
  return prompts.map((prompt, i) => Buffer.concat([prompt, texts[i]]));
}

/** The images with their second half written by the model. @param {any} model @param {readonly Uint8Array[]} images */
export const continued = (model, images) =>
  written(
    model,
    images.map((image) => image.subarray(0, BYTES / 2)),
    BYTES,
  );

/**
 * Of images that the model makes after the two bytes with which every BMP begins: how many have a right header, and how many also end where the
 * header says.
 * @param {any} model @param {number} count @param {Uint8Array} example any image of the size
 */
export async function madeImages(model, count, example) {
  const begin = example.subarray(0, 2);
  const made = await written(model, Array(count).fill(begin), BYTES + 64);
  const hasHeader = made.filter((file) => Buffer.compare(file.subarray(0, HEADER), example.subarray(0, HEADER)) === 0);
  return { made, withHeader: hasHeader.length, whole: hasHeader.filter(({ length }) => length === BYTES).length };
}

/** Screen pixels for each pixel, and between images. */
const [SCALE, GAP] = [5, 6];

/** Draws rows of images as a PNG; what a file does not have stays grey. @param {readonly (readonly Uint8Array[])[]} rows @param {string} path */
export function drawSheet(rows, path) {
  const size = SIDE * SCALE + GAP;
  const png = new PNG({ width: rows[0].length * size + GAP, height: rows.length * size + GAP });
  png.data.fill(255);
  for (const [row, images] of rows.entries())
    for (const [column, image] of images.entries())
      for (let y = 0; y < SIDE * SCALE; y++)
        for (let x = 0; x < SIDE * SCALE; x++) {
          const from = HEADER + ((SIDE - 1 - Math.floor(y / SCALE)) * SIDE + Math.floor(x / SCALE)) * 3;
          const to = ((row * size + GAP + y) * png.width + column * size + GAP + x) * 4;
          const [blue, green, red] = from + 3 <= image.length ? image.subarray(from, from + 3) : [200, 200, 200];
          png.data.set([red, green, blue, 255], to);
        }
  writeFileSync(path, PNG.sync.write(png));
}
