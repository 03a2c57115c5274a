import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OPERATIONS } from '../../../src/engine/stablehlo/operations/index.js';
import { VARIABLE_OPERATIONS } from '../../../src/engine/stablehlo/variable-operations.js';
import { REPOSITORY } from '../../support/repository-texts.js';

/** Names of TensorFlow operations in the text of a file: those that kernels and rawOp pass by name. */
const NAMED =
  /(?:unary|binary|logical|reduction|argument)\('(\w+)'|(?:executeSingleOutput|executeMultipleOutputs|withConstants|rawOp)\(\s*'(\w+)'|(?:run|result)\('(\w+)'/g;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    // StableHLO's own operations have other names.
    if (entry.name === 'stablehlo') return [];
    return entry.isDirectory() ? sources(path) : [readFileSync(path, 'utf8')];
  });
}

it('every TensorFlow operation that the sources name has its row', () => {
  const texts = sources(join(REPOSITORY, 'src'));
  const named = new Set(texts.flatMap((text) => [...text.matchAll(NAMED)].map(([, a, b, c]) => a ?? b ?? c!)));
  // Both kinds of product and of segment are chosen by an expression.
  for (const name of ['MatMul', 'BatchMatMulV2', 'UnsortedSegmentSum', 'UnsortedSegmentMax']) named.add(name);
  const known = new Set([...Object.keys(OPERATIONS), ...Object.keys(VARIABLE_OPERATIONS)]);
  // The runtime does these itself: they create and destroy variables.
  const byRuntime = ['VarHandleOp', 'DestroyResourceOp'];
  expect(named.size).toBeGreaterThan(70);
  expect([...named].filter((name) => !known.has(name) && !byRuntime.includes(name))).toEqual([]);
});
