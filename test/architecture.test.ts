import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { circlesIn, type Import, importsOf, loadedWith, readTree } from './support/import-graph.js';

/**
 * Arrows point downwards: a folder imports what stands in a line below its own. Types may also come from the same line.
 * Stages are the exception: they meet on disk, and share not even a type.
 */
const TIERS: readonly (readonly string[])[] = [
  ['cli.ts', 'index.ts'],
  ['entry'],
  ['commands'],
  ['pipeline', 'serve'],
  ['import', 'remap', 'finetune', 'export', 'generate', 'plan', 'report'],
  ['evaluate', 'release'],
  ['model'],
  ['patching'],
  ['data', 'hub', 'recipe', 'tokenizer'],
  ['llama'],
  ['blt', 'engine', 'gguf'],
  ['safetensors', 'conversion'],
  ['fs', 'net'],
  ['ui'],
  ['system-errors.ts'],
  ['errors.ts', 'random.ts', 'version.ts'],
];

const STAGES = ['import', 'remap', 'finetune', 'export', 'generate'];

/** Verbs that compute; their files are loaded when they are called, and the library when they start the engine. */
const COMPUTING_VERBS = [
  'bench',
  'convert',
  'demo',
  'evaluate',
  'finetune',
  'generate',
  'patch',
  'patcher',
  'score',
  'serve',
  'setup',
].map((verb) => `commands/${verb}.ts`);

/**
 * Only these may load TensorFlow when they are imported; everything else asks for it when it is needed. A step of the pipeline loads
 * what its stage needs, so a verb that only imports or remaps must not load the steps that train: the rule on verbs sees to that.
 */
const LOADS_TENSORFLOW = ['engine', 'model', 'finetune', 'evaluate', 'generate', 'serve', 'pipeline', 'index.ts'];
const TENSORFLOW = /^(@tensorflow\/|koffi$)/;

/** Where a thread of its own begins; it lies among modules that may load TensorFlow. */
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

describe('the sources', () => {
  const tree = readTree(fileURLToPath(new URL('../src', import.meta.url)));
  const imports = importsOf(tree);

  it('stand in known folders', () => {
    expect([...tree.keys()].filter((module) => tierOf(module) < 0)).toEqual([]);
  });

  it('import files that exist', () => {
    const lost = imports.filter(({ to, external }) => !external && !tree.has(to));
    expect(lost.map(({ from, to }) => `${from} -> ${to}`).filter((line) => !line.endsWith('.json'))).toEqual([]);
  });

  it('import downwards, and stages not each other', () => {
    expect(turnedArrows(imports)).toEqual([]);
  });

  it('form no circles', () => {
    expect(circlesIn([...tree.keys()], imports)).toEqual([]);
  });

  it('leave TensorFlow alone until it is needed', () => {
    expect(tensorflowLoaders([...tree.keys()], imports)).toEqual([]);
  });

  it('keep TensorFlow out of the thread that prepares batches: a second one would not share its memory', () => {
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

  it('have one test folder a source folder', () => {
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
  ])('refuse an arrow up: %s %s', (file, text) => {
    expect(check({ [file]: text }).arrows).toHaveLength(1);
  });

  it.each([
    ['remap/remap.ts', "import { bltTensors } from '../blt/index.js';\nimport './table.js';"],
    ['data/batches.ts', "import type { Recipe } from '../recipe/index.js';"],
    ['blt/config.ts', "// import { x } from '../cli.js';\n/** @example\n * import { x } from '../cli.js';\n */"],
  ])('allow an arrow down: %s %s', (file, text) => {
    expect(check({ [file]: text }).arrows).toEqual([]);
  });

  it('find a circle, also one of types alone, and none where an import comes later', () => {
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

  it('find TensorFlow behind other modules, unless it is loaded later or only for its types', () => {
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
