/**
 * Streams text from `byteify serve` with OpenAI's client.
 *
 * Set up:  npm install byteify-blt openai && npx byteify setup && npx byteify demo
 * Serve:   npx byteify serve byteify-demo
 * Run:     node stream.mjs "The function"    (in another terminal; BYTEIFY_URL names another server)
 */
import OpenAI from 'openai';

const prompt = process.argv[2] ?? 'The ';

const client = new OpenAI({
  baseURL: `${process.env.BYTEIFY_URL ?? 'http://127.0.0.1:8080'}/v1`,
  // The client insists on a key; a server on the loopback interface needs none.
  apiKey: process.env.BYTEIFY_API_KEY ?? 'none',
});

const { data: models } = await client.models.list();
const stream = await client.completions.create({
  model: models[0].id,
  prompt,
  // Bytes, not tokens.
  max_tokens: 100,
  temperature: 0.7,
  seed: 1,
  stream: true,
});

process.stdout.write(prompt);
for await (const { choices } of stream) process.stdout.write(choices[0]?.text ?? '');
process.stdout.write('\n');
