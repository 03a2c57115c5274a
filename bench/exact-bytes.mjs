// How far cheap measures of a source's probability of bytes are from the exact one, which sums over all tokenisations of a text.
// Run: npm run bench:exact-bytes [-- --source builtin:tiny-llama --out docs/bench/exact-bytes]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEngine } from '../dist/engine/index.js';
import { openExactNats, sourceByteNats } from '../dist/evaluate/index.js';
import { llamaLosses, openLlamaModel } from '../dist/model/index.js';
import { canonicalTokens, openSourceReader } from '../dist/patching/index.js';
import { table } from './markdown-table.mjs';
import { publish } from './report.mjs';

const { values } = parseArgs({
  options: {
    source: { type: 'string', default: fileURLToPath(new URL('../assets/tiny-llama', import.meta.url)) },
    out: { type: 'string' },
  },
});

const TEXTS = ['the function', 'returns null', 'Une phrase', 'x = y + 12;', 'unlikelyword', '3.14159', 'Привет'];

await startEngine({ threads: 2 });
const model = await openLlamaModel(values.source);
const { vocabSize, bosId, eosIds } = model.config;
const { tokenizer, vocabulary, special } = await openSourceReader(values.source, { vocabSize, bosId, eosIds });
const start = vocabulary.order[special.start];
const exactNats = openExactNats(model, vocabulary, start);
const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);

/** The nats of bytes by the prefix marginals of canonical tokens. */
function marginalNats(bytes) {
  const tokens = [special.start];
  const tokenOfByte = [];
  const offsetInToken = [];
  for (const { id, added, length } of canonicalTokens(bytes, tokenizer)) {
    for (let i = 0; i < length; i++) {
      tokenOfByte.push(tokens.length);
      offsetInToken.push(added + i);
    }
    tokens.push(vocabulary.rankOf(id));
  }
  const reading = { tokens, tokenOfByte: Int32Array.from(tokenOfByte), offsetInToken: Int32Array.from(offsetInToken) };
  return sum(sourceByteNats(model, vocabulary, reading));
}

const rows = TEXTS.map((text) => {
  const bytes = Buffer.from(text);
  const bits = (nats) => nats / Math.LN2 / bytes.length;
  const ids = tokenizer.encode(text);
  const row = {
    text,
    tokens: ids.length,
    exact: bits(exactNats(bytes)),
    marginals: bits(marginalNats(bytes)),
    canonical: bits(sum(llamaLosses(model, Int32Array.from([start, ...ids])))),
  };
  console.error(JSON.stringify(row));
  return row;
});
const cells = rows.map(({ text, tokens, exact, marginals, canonical }) => [
  `\`${text}\``,
  String(tokens),
  ...[exact, marginals, canonical].map((one) => one.toFixed(4)),
]);
publish(values.out, 'exact-bytes', {
  report: { command: 'npm run bench:exact-bytes', texts: rows },
  markdown: table(['text', 'tokens', 'exact', 'prefix marginals', 'canonical tokens'], cells),
});
model.dispose();
