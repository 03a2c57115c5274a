// Compiles the programs of one stage for each target, and compares the memory that the compiler states with the plan. Prints one line of JSON.
// Run: node check-stage.mjs OPTIONS
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hloStatistics } from '../../dist/engine/pjrt/hlo-module.js';
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

const COLLECTIVES = ['all-reduce', 'all-gather', 'reduce-scatter', 'all-to-all', 'collective-permute'];

/** How many of each there are, and the bytes of their results on one device. Their asynchronous forms begin with the same name. */
function collectivesOf({ opcodes }) {
  const found = {};
  for (const name of COLLECTIVES) {
    const forms = [name, `${name}-start`].flatMap((opcode) => opcodes.get(opcode) ?? []);
    const sum = (key) => forms.reduce((total, form) => total + form[key], 0);
    if (forms.length > 0) found[name] = { count: sum('count'), bytes: sum('bytes') };
  }
  return found;
}

/** The program that needs most. */
function measure(programs, target, compiler) {
  const measured = programs.map(({ text, otherBytes, changes }) => {
    const begun = performance.now();
    const executable = compiler.compile(text);
    const seconds = (performance.now() - begun) / 1000;
    const memory = executable.memory();
    const statistics = hloStatistics(executable.optimized());
    executable.destroy();
    return { changes, seconds, memory, bytes: memory.peak + otherBytes, otherBytes, statistics };
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
    other_bytes: most.otherBytes,
    kernels: most.statistics.opcodes.get('fusion')?.count ?? 0,
    library_calls: Object.fromEntries([...most.statistics.targets].map(([name, { count }]) => [name, count])),
    collectives: collectivesOf(most.statistics),
    device_bytes: compiler.target.memoryBytes,
  };
}

const { recipe, stage, overrides = [], targets, devices = 1, fullySharded = false } = JSON.parse(process.argv[2]);
const layout = { devices, dividesVariables: fullySharded };
const work = mkdtempSync(join(tmpdir(), 'byteify-accelerator-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const traced = await traceStage({ recipe, stage, overrides, layout, work });
const path = await findCompiler();
const results = targets.map((target) => {
  const compiler = openCompiler(path, TARGETS[target], devices);
  try {
    return measure(traced.programs, target, compiler);
  } finally {
    compiler.close();
  }
});
const kind = stage === 'patcher' ? 'patcher' : traced.recipe.stages[stage].kind;
const planned = devices === 1 ? plannedBytes(traced, stage) : null;
console.log(JSON.stringify({ recipe, stage, kind, overrides, devices, fullySharded, planned_bytes: planned, results }));
// The plugin's threads would keep the process.
process.exit(0);
