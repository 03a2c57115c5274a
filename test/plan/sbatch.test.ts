import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sbatchScript } from '../../src/plan/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const GIB = 2 ** 30;
const options = {
  recipe: { name: 'my recipe' },
  plan: { memoryBytes: 10 * GIB, seconds: 10 * 3600 },
  nodes: 4,
  words: ['byteify', 'convert', './Llama 3', '--set', "seed='1'", '--data', 'corpus/'],
};

const directives = (script: string) => script.split('\n').filter((line) => line.startsWith('#SBATCH '));

describe('sbatchScript', () => {
  const folder = temporaryFolder();

  /** Runs a script with an `srun` that records its arguments and ends with a code, and an `scontrol` that records its own. */
  function run(script: string, code: number): { status: number | null; srun: string[]; requeued: boolean } {
    const at = (name: string) => join(folder(), name);
    const program = (name: string, text: string) => {
      writeFileSync(at(name), `#!/bin/bash\n${text}\n`);
      chmodSync(at(name), 0o755);
    };
    program('srun', `printf '%s\\n' "$@" > '${at('srun.txt')}'; exit ${code}`);
    program('scontrol', `printf '%s\\n' "$@" > '${at('scontrol.txt')}'`);
    writeFileSync(at('job.sh'), script);
    const env = {
      PATH: `${folder()}${delimiter}${process.env.PATH}`,
      SLURM_SUBMIT_DIR: '/submit dir',
      SLURM_JOB_ID: '77',
    };
    const { status } = spawnSync('bash', [at('job.sh')], { env });
    const requeued = existsSync(at('scontrol.txt')) && readFileSync(at('scontrol.txt'), 'utf8') === 'requeue\n77\n';
    return { status, srun: readFileSync(at('srun.txt'), 'utf8').trim().split('\n'), requeued };
  }

  it('asks for the machines, the memory and the time of the plan', () => {
    const script = sbatchScript(options);
    expect(directives(script)).toEqual([
      '#SBATCH --job-name=my-recipe',
      '#SBATCH --nodes=4',
      '#SBATCH --ntasks-per-node=1',
      '#SBATCH --exclusive',
      '#SBATCH --mem=13G',
      '#SBATCH --time=4:00:00',
      '#SBATCH --requeue',
      '#SBATCH --open-mode=append',
      '#SBATCH --signal=TERM@300',
    ]);
    expect(script.indexOf('#SBATCH')).toBeLessThan(script.indexOf('srun'));
  });

  it('sets no time limit when no rate is known', () => {
    const script = sbatchScript({ ...options, plan: { ...options.plan, seconds: null } });
    expect(directives(script).some((line) => line.includes('--time'))).toBe(false);
  });

  it('runs one command for all processes, with the arguments as they were given', () => {
    const { status, srun, requeued } = run(sbatchScript(options), 0);
    expect([status, requeued]).toEqual([0, false]);
    expect(srun).toEqual(['--kill-on-bad-exit=1', ...options.words, '--out', '/submit dir/my recipe-blt']);
  });

  it('continues in a later job after a checkpoint, and not after a failure', () => {
    expect(run(sbatchScript(options), 143)).toMatchObject({ status: 143, requeued: true });
  });

  it('does not start again what has failed', () => {
    expect(run(sbatchScript(options), 1)).toMatchObject({ status: 1, requeued: false });
  });

  it('is a script that bash accepts', () => {
    execFileSync('bash', ['-n'], { input: sbatchScript({ ...options, nodes: 1 }) });
  });
});
