// Adapts a golden model for serving: positions for long texts, greedy texts that never end by themselves, and a chat template.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const GOLDEN = fileURLToPath(new URL('../fixtures/golden/plain/blt', import.meta.url));

/** The weights do not depend on the number of positions. */
const MAX_POSITIONS = 8192;
const EOS = 2;
const FLOAT_BYTES = 4;

const TEMPLATE =
  '{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}';

/** Changes the head so that the logit of EOS is the mean of all logits, which is never the highest. */
function withoutEnd(path) {
  const file = readFileSync(path);
  const headerBytes = Number(file.readBigUInt64LE());
  const { data_offsets, shape } = JSON.parse(file.subarray(8, 8 + headerBytes).toString())['lm_head.weight'];
  const [rows, columns] = shape;
  const at = (row, column) => 8 + headerBytes + data_offsets[0] + (row * columns + column) * FLOAT_BYTES;
  for (let column = 0; column < columns; column++) {
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += file.readFloatLE(at(row, column));
    file.writeFloatLE(sum / rows, at(EOS, column));
  }
  writeFileSync(path, file);
}

/** @param {string} work the folder in which the model is created @returns {string} the model's folder */
export function roomyGolden(work) {
  const folder = join(work, 'golden');
  cpSync(GOLDEN, folder, { recursive: true });
  const path = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(path, 'utf8'));
  const parts = ['encoder', 'decoder', 'patcher', 'global'].map((name) => config[`${name}_config`]);
  for (const part of [config, ...parts]) part.max_position_embeddings = MAX_POSITIONS;
  writeFileSync(path, JSON.stringify(config));
  withoutEnd(join(folder, 'model.safetensors'));
  writeFileSync(join(folder, 'chat_template.jinja'), TEMPLATE);
  return folder;
}
