import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as everything from '../../src/index.js';
import { importsOf, loadedWith, readTree } from '../support/import-graph.js';

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>;
};
const names = readdirSync(at('src/entry')).map((file) => file.replace(/\.ts$/, ''));

describe('the entries of the package', () => {
  it('are the files of src/entry, each with types', () => {
    const modules = Object.entries(exports).filter(([name]) => name !== '.' && !name.endsWith('.json'));
    expect(Object.fromEntries(modules)).toEqual(
      Object.fromEntries(
        names.map((name) => [`./${name}`, { types: `./dist/entry/${name}.d.ts`, default: `./dist/entry/${name}.js` }]),
      ),
    );
  });

  const imports = importsOf(readTree(at('src')));
  it.each(names)('%s loads neither TensorFlow.js nor koffi', (name) => {
    const loaded = [...loadedWith(`entry/${name}.ts`, imports).keys()];
    expect(loaded.length).toBeGreaterThan(3);
    expect(loaded.filter((module) => /^(@tensorflow\/|koffi$)/.test(module))).toEqual([]);
  });

  it.each(names)('%s exports only what the main entry exports', async (name) => {
    const entry = (await import(`../../src/entry/${name}.ts`)) as Record<string, unknown>;
    expect(Object.keys(entry)).toContain('ByteifyError');
    expect(everything).toMatchObject(entry);
  });
});
