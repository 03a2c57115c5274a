// Compiles the programs of one stage for each target, and compares the memory that the compiler states with the plan. Prints one line of JSON.
// Run: node check-stage.mjs OPTIONS
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makePlan } from '../../dist/plan/index.js';
import { findCompiler, openCompiler } from './compiler.mjs';
import { TARGETS } from './targets.mjs';
import { traceStage } from './trace-stage.mjs';

/** What the plan says of the stage without what a process takes on a CPU beside the model. */
function plannedBytes({ config, recipe, sourceConfig }, stage) {
  const plan = makePlan({
    ...{ config, recipe, sourceBytes: 0, sourceVocabSize: sourceConfig.vocabSize },
    ...{ sourceBytesPerWeight: 2, flopsPerSecond: null },
  });
  const trained = plan.stages.filter(({ training }) => training !== null);
  const { memory } = trained[stage === 'patcher' ? 0 : stage + 1].training;
  return memory.peakBytes - memory.runtimeBytes;
}

/** The program that needs most. */
function measure(programs, target, compiler) {
  const measured = programs.map(({ text, otherBytes, changes }) => {
    const begun = performance.now();
    const executable = compiler.compile(text);
    const memory = executable.memory();
    executable.destroy();
    return { changes, seconds: (performance.now() - begun) / 1000, memory, bytes: memory.peak + otherBytes };
  });
  const most = measured.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  return {
    target,
    programs: measured.length,
    compile_seconds: measured.reduce((sum, { seconds }) => sum + seconds, 0),
    peak_bytes: most.bytes,
    argument_bytes: most.memory.arguments,
    temporary_bytes: most.memory.temporaries,
    aliased_bytes: most.memory.aliased,
    device_bytes: compiler.target.memoryBytes,
  };
}

const { recipe, stage, overrides = [], targets } = JSON.parse(process.argv[2]);
const work = mkdtempSync(join(tmpdir(), 'byteify-accelerator-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const traced = await traceStage({ recipe, stage, overrides, work });
const path = await findCompiler();
const results = targets.map((target) => {
  const compiler = openCompiler(path, TARGETS[target]);
  try {
    return measure(traced.programs, target, compiler);
  } finally {
    compiler.close();
  }
});
const kind = stage === 'patcher' ? 'patcher' : traced.recipe.stages[stage].kind;
console.log(JSON.stringify({ recipe, stage, kind, overrides, planned_bytes: plannedBytes(traced, stage), results }));
// The plugin's threads would keep the process.
process.exit(0);
