import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byteTokenizerFiles } from '../../src/tokenizer/index.js';
import { longGolden } from '../support/long-golden.js';
import { askPeer, peersPython } from '../support/peers.js';
import { type Serving, startServing } from '../support/serving.js';

type Results = Record<string, Record<string, number | string>>;

/** Tasks of the three kinds of request, with few-shot examples. */
const TASKS = {
  choices: `output_type: multiple_choice
doc_to_text: "Question: {{question}}\\nAnswer:"
doc_to_target: "{{answer}}"
doc_to_choice: "{{choices}}"
num_fewshot: 2
fewshot_split: validation
metric_list:
  - metric: acc
  - metric: acc_norm
`,
  answers: `output_type: loglikelihood
doc_to_text: "{{question}}"
doc_to_target: " {{choices[answer]}}"
metric_list:
  - metric: perplexity
  - metric: acc
`,
  texts: `output_type: loglikelihood_rolling
doc_to_text: ""
doc_to_target: "{{question}} {{choices[0]}}"
metric_list:
  - metric: bits_per_byte
  - metric: byte_perplexity
`,
  writing: `output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{choices[answer]}}"
generation_kwargs:
  until: ["\\n", "e"]
  max_gen_toks: 12
metric_list:
  - metric: exact_match
`,
} as const;

const DOCUMENTS = Array.from({ length: 12 }, (_, i) => ({
  question: `Wie viel ist ${i} plus ${i * 7}? Ça dépend.`,
  choices: [`${i * 8}`, `${i * 9 + 1}`, 'nichts davon'],
  answer: i % 3,
}));

async function writeTasks(folder: string): Promise<void> {
  await mkdir(folder);
  const data = join(folder, 'documents.jsonl');
  await writeFile(data, DOCUMENTS.map((document) => `${JSON.stringify(document)}\n`).join(''));
  for (const [name, text] of Object.entries(TASKS)) {
    const dataset = `dataset_path: json\ndataset_kwargs:\n  data_files:\n    validation: ${data}\n    test: ${data}\n`;
    await writeFile(join(folder, `${name}.yaml`), `task: ours_${name}\n${dataset}test_split: test\n${text}`);
  }
}

/** The scores of a task, without those of the spread. */
const scoresOf = (results: Results, task: string): Record<string, number> =>
  Object.fromEntries(
    Object.entries(results[task]!).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && !entry[0].includes('stderr'),
    ),
  );

describe.skipIf(peersPython() === null)('EleutherAI’s evaluation harness', () => {
  let folder = '';
  let serving: Serving;
  let model = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'byteify-harness-'));
    model = await longGolden(join(folder, 'model'));
    // As in an export.
    const config = join(model, 'config.json');
    await writeFile(config, JSON.stringify({ ...JSON.parse(await readFile(config, 'utf8')), use_cache: false }));
    const { tokenizerJson, tokenizerConfig, specialTokensMap } = byteTokenizerFiles();
    await writeFile(join(model, 'tokenizer.json'), JSON.stringify(tokenizerJson));
    await writeFile(join(model, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
    await writeFile(join(model, 'special_tokens_map.json'), JSON.stringify(specialTokensMap));
    await writeFile(
      join(model, 'generation_config.json'),
      JSON.stringify({ use_cache: false, bos_token_id: 1, eos_token_id: 2, pad_token_id: 0 }),
    );
    await writeTasks(join(folder, 'tasks'));
    serving = await startServing([model, '--name', 'blt']);
  });
  afterAll(async () => {
    serving.child.kill();
    await serving.finished.catch(() => undefined);
    await rm(folder, { recursive: true, force: true });
  });

  const ask = (out: string, kind: string, args: string) =>
    askPeer<Results>('harness.py', [
      join(folder, 'tasks'),
      join(folder, out),
      kind,
      args,
      ...Object.keys(TASKS).map((name) => `ours_${name}`),
    ]);

  it.each([
    ['by the export’s tokenizer, with BOS before each prompt', true],
    ['by the server’s own tokenizer, without BOS', false],
  ])('scores the server as it scores the export in transformers: %s', async (_, bos) => {
    const lengths = 'max_length=4096,max_gen_toks=64';
    const tokenizer = bos ? `,tokenizer_backend=huggingface,tokenizer=${model},add_bos_token=True` : '';
    const address = `model=blt,base_url=${serving.url}/v1/completions`;
    const served = await ask(`served-${bos}`, 'local-completions', `${address},${lengths}${tokenizer}`);
    const peer = `pretrained=${model},dtype=float32,max_length=4096,add_bos_token=${bos ? 'True' : 'False'}`;
    const wanted = await ask(`hf-${bos}`, 'hf', peer);
    for (const task of Object.keys(TASKS).map((name) => `ours_${name}`)) {
      const [found, expected] = [scoresOf(served, task), scoresOf(wanted, task)];
      expect(Object.keys(found).length).toBeGreaterThan(0);
      for (const [name, value] of Object.entries(expected)) {
        // A perplexity is the exponential of a mean, which is compared.
        const [own, other] = name.includes('perplexity')
          ? [Math.log(found[name]!), Math.log(value)]
          : [found[name]!, value];
        expect([task, name, own]).toEqual([task, name, expect.closeTo(other, 4)]);
      }
    }
  });
});
