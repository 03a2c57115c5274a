import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { circlesIn, type Import, importsOf, loadedWith, readTree } from './support/import-graph.js';
import { codeSpansOf, fenceBelow, tableOf } from './support/markdown.js';
import { REPOSITORY } from './support/repository-texts.js';

/** The rules are in docs/architecture.md, from which this test reads them. */
const PAGE = readFileSync(join(REPOSITORY, 'docs/architecture.md'), 'utf8');
const SRC = join(REPOSITORY, 'src');

/** Names in backticks within the sentence that the pattern's group matches. */
function namesIn(pattern: RegExp): string[] {
  const sentence = pattern.exec(PAGE)?.[1];
  if (sentence === undefined) throw new Error(`docs/architecture.md has no sentence like ${pattern}`);
  return codeSpansOf(sentence);
}

/** A folder imports only from lines below its own. Types may also come from the same line. */
const TIERS = fenceBelow(PAGE, 'What may import what')
  .split('\n')
  .map((line) => line.split(' '));

/** The stages, which exchange data on disk only and share no types. */
const STAGES = namesIn(/\*\*Stages exchange data on disk only\.\*\* (.+?) never import each other/);

/** The verbs that compute. Their files are loaded when they are called, and the library when they start the engine. */
const COMPUTING_VERBS = [
  'bench',
  'adapt',
  'convert',
  'demo',
  'evaluate',
  'finetune',
  'generate',
  'patch',
  'patcher',
  'report',
  'score',
  'serve',
  'setup',
].map((verb) => `commands/${verb}.ts`);

/**
 * Only these may load TensorFlow when they are imported; all other code imports it when it is needed. A step of the pipeline loads
 * what its stage needs, so a verb that only imports or remaps must not load the steps that train; the rule on verbs ensures that.
 */
const LOADS_TENSORFLOW = namesIn(/\*\*TensorFlow is loaded late\.\*\* Only (.+?) may load it/);
const TENSORFLOW = /^(@tensorflow\/|koffi$)/;

/** The entry of a separate thread, in a folder that may load TensorFlow. */
const BATCH_THREAD = 'finetune/batches/batch-worker.ts';

const folderOf = (module: string) => module.split('/', 1)[0] ?? module;
const tierOf = (module: string) => TIERS.findIndex((tier) => tier.includes(folderOf(module)));

function turnedArrows(imports: readonly Import[]): string[] {
  return imports
    .filter(({ from, to, external, kind }) => {
      if (external || folderOf(from) === folderOf(to)) return false;
      if (STAGES.includes(folderOf(from)) && STAGES.includes(folderOf(to))) return true;
      return kind === 'type' ? tierOf(to) < tierOf(from) : tierOf(to) <= tierOf(from);
    })
    .map(({ from, to }) => `${from} -> ${to}`);
}

function tensorflowLoaders(modules: readonly string[], imports: readonly Import[]): string[] {
  return modules
    .filter((module) => !LOADS_TENSORFLOW.includes(folderOf(module)) && !COMPUTING_VERBS.includes(module))
    .flatMap((module) => {
      const path = [...loadedWith(module, imports)].find(([loaded]) => TENSORFLOW.test(loaded))?.[1];
      return path === undefined ? [] : [path.join(' -> ')];
    });
}

describe('docs/architecture.md', () => {
  const entries = readdirSync(SRC).sort();
  const foldersIn = (folder: string) =>
    readdirSync(join(SRC, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);

  it('lists each folder and file of src once', () => {
    const rows = tableOf(PAGE, 'folder', 'contents').flatMap(({ folder }) => codeSpansOf(folder!));
    expect(rows.map((path) => path.replace(/^src\//, '')).sort()).toEqual(entries);
  });

  it('puts each of them into one line of the import order', () => {
    expect(TIERS.flat().sort()).toEqual(entries);
  });

  it('lists the folders of finetune, including closed-form', () => {
    const section = PAGE.slice(PAGE.indexOf('\n## Training\n'));
    const rows = tableOf(section, 'folder', 'contents').flatMap(({ folder }) => codeSpansOf(folder!));
    const folders = foldersIn('finetune').flatMap((name) => [
      name,
      ...foldersIn(join('finetune', name)).map((below) => `${name}/${below}`),
    ]);
    expect(rows.map((path) => path.replace(/\/$/, '')).sort()).toEqual(folders.sort());
  });

  it('names files of the engine that exist', () => {
    const files = tableOf(PAGE, 'file in `src/engine`').flatMap((row) => codeSpansOf(row['file in `src/engine`']!));
    expect(files.length).toBeGreaterThan(5);
    expect(files.filter((file) => !existsSync(join(SRC, 'engine', file)))).toEqual([]);
  });
});

describe('the sources', () => {
  const tree = readTree(SRC);
  const imports = importsOf(tree);

  it('are in known folders', () => {
    expect([...tree.keys()].filter((module) => tierOf(module) < 0)).toEqual([]);
  });

  it('import files that exist', () => {
    const lost = imports.filter(({ to, external }) => !external && !tree.has(to));
    expect(lost.map(({ from, to }) => `${from} -> ${to}`).filter((line) => !line.endsWith('.json'))).toEqual([]);
  });

  it('import only downwards, and stages never each other', () => {
    expect(turnedArrows(imports)).toEqual([]);
  });

  it('have no import cycles', () => {
    expect(circlesIn([...tree.keys()], imports)).toEqual([]);
  });

  it('load TensorFlow only when it is needed', () => {
    expect(tensorflowLoaders([...tree.keys()], imports)).toEqual([]);
  });

  it('keep TensorFlow out of the thread that prepares batches, where it would take memory a second time', () => {
    expect([...tree.keys()]).toContain(BATCH_THREAD);
    expect([...loadedWith(BATCH_THREAD, imports).keys()].filter((module) => TENSORFLOW.test(module))).toEqual([]);
  });

  it('import only packages that package.json names', async () => {
    const { default: manifest } = (await import('../package.json', { with: { type: 'json' } })) as {
      default: { dependencies: Record<string, string>; peerDependencies?: Record<string, string> };
    };
    const allowed = new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }));
    const names = imports
      .filter(({ external, to }) => external && !to.startsWith('node:'))
      .map(({ to }) =>
        to
          .split('/')
          .slice(0, to.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    expect([...new Set(names)].filter((name) => !allowed.has(name))).toEqual([]);
  });

  it('have one test folder per source folder', () => {
    const folders = new Set([...tree.keys()].filter((module) => module.includes('/')).map(folderOf));
    const untested = [...folders].filter((folder) => !existsSync(fileURLToPath(new URL(folder, import.meta.url))));
    expect(untested).toEqual([]);
  });
});

describe('the rules', () => {
  const check = (files: Record<string, string>) => {
    const tree = new Map(Object.entries(files));
    const imports = importsOf(tree);
    return { arrows: turnedArrows(imports), tensorflow: tensorflowLoaders([...tree.keys()], imports) };
  };

  it.each([
    ['blt/config.ts', "import { remap } from '../remap/index.js';"],
    ['errors.ts', "import type { Recipe } from './recipe/index.js';"],
    ['remap/remap.ts', "import type { ImportReport } from '../import/index.js';"],
    ['hub/client.ts', "export {\n  a,\n  b,\n} from '../recipe/index.js';"],
    ['hub/client.ts', "export const load = () => import('../commands/plan.js');"],
    ['blt/config.ts', "import { type LlamaConfig } from '../llama/index.js';"],
  ])('refuse an upward import: %s %s', (file, text) => {
    expect(check({ [file]: text }).arrows).toHaveLength(1);
  });

  it.each([
    ['remap/remap.ts', "import { bltTensors } from '../blt/index.js';\nimport './table.js';"],
    ['data/batches.ts', "import type { Recipe } from '../recipe/index.js';"],
    ['blt/config.ts', "// import { x } from '../cli.js';\n/** @example\n * import { x } from '../cli.js';\n */"],
  ])('allow a downward import: %s %s', (file, text) => {
    expect(check({ [file]: text }).arrows).toEqual([]);
  });

  it('find cycles, including those of types alone, but not through dynamic imports', () => {
    const circles = (files: Record<string, string>) =>
      circlesIn(Object.keys(files), importsOf(new Map(Object.entries(files))));
    const first = { 'a/one.ts': "import { two } from './two.js';" };
    expect(
      circles({
        ...first,
        'a/two.ts': "import type { One } from './three.js';",
        'a/three.ts': "export * from './one.js';",
      }),
    ).toEqual([['a/one.ts', 'a/three.ts', 'a/two.ts']]);
    expect(circles({ ...first, 'a/two.ts': "const later = () => import('./one.js');" })).toEqual([]);
  });

  it('find TensorFlow behind other modules, unless it is imported dynamically or only for its types', () => {
    const engine = { 'engine/index.ts': "export * as tf from '@tensorflow/tfjs-core';" };
    const via = { ...engine, 'model/index.ts': "import { tf } from '../engine/index.js';" };
    expect(check({ ...via, 'commands/plan.ts': "import { size } from '../model/index.js';" }).tensorflow).toEqual([
      'commands/plan.ts -> model/index.ts -> engine/index.ts -> @tensorflow/tfjs-core',
    ]);
    expect(check({ ...via, 'commands/plan.ts': "import type { Size } from '../model/index.js';" }).tensorflow).toEqual(
      [],
    );
    expect(check({ ...via, 'commands/plan.ts': "const load = () => import('../model/index.js');" }).tensorflow).toEqual(
      [],
    );
  });
});
