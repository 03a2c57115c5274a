import { appendFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type PartAnswers, partOfSuite } from '../../../src/evaluate/run/parts.js';
import { type Candidate, runSuites, type SuiteRun, type Who } from '../../../src/evaluate/run/run-suites.js';
import type { EvaluatedModel, Item } from '../../../src/evaluate/suites/item.js';
import { fraction } from '../../../src/evaluate/suites/metric.js';
import type { DirectSuite, Suite, SuiteOptions } from '../../../src/evaluate/suites/suite.js';
import type { SuiteResult } from '../../../src/evaluate/suites/suite-result.js';
import { itemOf, suiteOptions } from '../../support/suite-items.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

/** Items "1", "2", ...: a model is right on even ones. */
const suite: Suite = {
  name: 'numbers',
  summary: '',
  data: null,
  *items({ limit }) {
    for (let i = 1; i <= limit; i++) yield itemOf({ id: `${i}`, groups: ['numbers'], continuations: [`${i}`] });
  },
  count: (_item, { nats }) => ({ items: 1, right: nats[0]! % 2 === 0 ? 1 : 0 }),
  metrics: [fraction('right', 'right')],
  notes: [],
};

/** A model that answers with the item's number, and counts what it was asked. */
function candidate(file: string, options: { failsAt?: string; unspelled?: string } = {}) {
  const asked: string[] = [];
  const model: EvaluatedModel = {
    async answer(item: Item) {
      if (item.id === options.failsAt) throw new Error('no more');
      asked.push(item.id);
      return item.id === options.unspelled ? null : { nats: [Number(item.id)], steps: 1, written: null };
    },
    dispose: () => undefined,
  };
  return { asked, file: join(folder(), file), open: async () => model };
}

const never = () => Promise.reject(new Error('no suite here is direct'));

/** Runs one suite. @param asked the model and, if there is another, the source */
async function runSuite(
  one: Suite,
  options: SuiteOptions,
  asked: readonly (Omit<Candidate, 'who'> & { readonly file: string })[],
  parts: readonly PartAnswers[] = [],
): Promise<SuiteResult> {
  const names: Who[] = ['model', 'source'];
  const candidates = asked.map(({ open }, i) => ({ who: names[i]!, open }));
  const run: SuiteRun = { suite: one, options, file: (who) => asked[names.indexOf(who)]!.file, parts: () => parts };
  const { value } = await runSuites([run], candidates, never).next();
  return value as SuiteResult;
}

const right = (found: Awaited<ReturnType<typeof runSuite>>) => found.groups[0]!.metrics[0]!;

describe('a suite', () => {
  it('asks each item once, and continues where it was stopped', async () => {
    const options = suiteOptions({ limit: 10 });
    const failing = candidate('a.jsonl', { failsAt: '5' });
    await expect(runSuite(suite, options, [failing])).rejects.toThrow('no more');
    expect(failing.asked).toEqual(['1', '2', '3', '4']);
    const again = candidate('a.jsonl');
    const found = await runSuite(suite, options, [again]);
    expect(again.asked).toEqual(['5', '6', '7', '8', '9', '10']);
    expect(right(found).model.value).toBe(0.5);
    const third = candidate('a.jsonl');
    expect(await runSuite(suite, options, [third])).toEqual(found);
    expect(third.asked).toEqual([]);
  });

  it('asks only the new items of a larger limit, and counts no more than a smaller one', async () => {
    await runSuite(suite, suiteOptions({ limit: 4 }), [candidate('a.jsonl')]);
    const more = candidate('a.jsonl');
    await runSuite(suite, suiteOptions({ limit: 6 }), [more]);
    expect(more.asked).toEqual(['5', '6']);
    const found = await runSuite(suite, suiteOptions({ limit: 3 }), [candidate('a.jsonl')]);
    expect(found.groups[0]!.items).toBe(3);
  });

  it('answers an item again whose answer a killed process left incomplete', async () => {
    const first = candidate('a.jsonl');
    await runSuite(suite, suiteOptions({ limit: 3 }), [first]);
    const whole = await readFile(first.file, 'utf8');
    await truncate(first.file, whole.length - 5);
    const again = candidate('a.jsonl');
    await runSuite(suite, suiteOptions({ limit: 3 }), [again]);
    expect(again.asked).toEqual(['3']);
    expect(await readFile(first.file, 'utf8')).toBe(whole);
  });

  it('names a file of answers that does not belong to its items', async () => {
    const first = candidate('a.jsonl');
    await runSuite(suite, suiteOptions({ limit: 1 }), [first]);
    await appendFile(first.file, '{"id":"7","nats":[1],"steps":1,"written":null}\n');
    await expect(runSuite(suite, suiteOptions({ limit: 2 }), [candidate('a.jsonl')])).rejects.toThrow(
      'the answer to "7"',
    );
    await writeFile(first.file, '{"id":"1","nats":"?"}\n');
    await expect(runSuite(suite, suiteOptions({ limit: 1 }), [candidate('a.jsonl')])).rejects.toThrow('Line 1 of');
  });

  it('leaves items out that the source cannot spell, for both', async () => {
    const candidates = [candidate('a.jsonl'), candidate('b.jsonl', { unspelled: '1' })];
    const found = await runSuite(suite, suiteOptions({ limit: 3 }), candidates);
    expect([found.unspelled, found.groups[0]!.items, right(found).model.value]).toEqual([1, 2, 0.5]);
    expect(right(found).retention!.value).toBe(1);
  });

  it('opens each model once for all suites, and gives each result once the last model has answered', async () => {
    const events: string[] = [];
    const candidateOf = (who: Who): Candidate => ({
      who,
      async open() {
        events.push(`opens the ${who}`);
        return {
          async answer(item: Item) {
            events.push(`${who} ${item.id}`);
            return { nats: [1], steps: 1, written: null };
          },
          dispose: () => events.push(`closes the ${who}`),
        };
      },
    });
    const direct: DirectSuite = {
      ...{ name: 'direct', summary: '', data: null, notes: [] },
      measure: async () => ({ groups: [], items: 0, itemsDigest: '', unspelled: 0 }),
    };
    const options = suiteOptions({ limit: 1 });
    const runs = [suite, direct, { ...suite, name: 'others' }].map((one) => ({
      ...{ suite: one, options, parts: () => [] },
      file: (who: Who) => join(folder(), `${one.name}-${who}.jsonl`),
    }));
    const measure = async (one: DirectSuite, given: SuiteOptions) => {
      events.push('measures');
      return await one.measure(given, { model: null as never, source: null });
    };
    for await (const { groups } of runSuites(runs, [candidateOf('model'), candidateOf('source')], measure))
      events.push(`result of ${groups.length}`);
    expect(events).toEqual([
      'opens the model',
      'model 1',
      'model 1',
      'closes the model',
      'opens the source',
      'source 1',
      'result of 1',
      'measures',
      'result of 0',
      'source 1',
      'result of 1',
      'closes the source',
    ]);
  });

  it('takes the answers of parts, and asks what no part has answered', async () => {
    const options = suiteOptions({ limit: 10 });
    // Items 1 to 3, 4 to 6, ... belong together.
    const units: Suite = {
      ...suite,
      async *items(given) {
        for await (const item of suite.items(given)) yield { ...item, unit: `${Math.ceil(Number(item.id) / 3)}` };
      },
    };
    const answers: PartAnswers[] = [];
    for (const part of [0, 1]) {
      const one = candidate(`part-${part}.jsonl`);
      await runSuite(partOfSuite(units, { part, parts: 2 }), options, [one]);
      expect(one.asked).toEqual(part === 0 ? ['1', '2', '3', '7', '8', '9'] : ['4', '5', '6', '10']);
      answers.push({ part, parts: 2, file: one.file });
    }
    const whole = candidate('whole.jsonl');
    const found = await runSuite(units, options, [whole], answers);
    expect(whole.asked).toEqual([]);
    const alone = candidate('alone.jsonl');
    expect(await runSuite(units, options, [alone])).toEqual(found);
    expect(await readFile(whole.file, 'utf8')).toBe(await readFile(alone.file, 'utf8'));

    const rest = candidate('rest.jsonl');
    expect(await runSuite(units, options, [rest], answers.slice(1))).toEqual(found);
    expect(rest.asked).toEqual(['1', '2', '3', '7', '8', '9']);
    const second = answers[1]!.file;
    await expect(
      runSuite(units, options, [candidate('mixed.jsonl')], [{ part: 0, parts: 2, file: second }]),
    ).rejects.toThrow(`${second} contains the answer to "4" where that to "1" belongs.`);
  });
});
