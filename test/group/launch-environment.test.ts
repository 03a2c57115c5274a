import { describe, expect, it } from 'vitest';
import { launchFromEnvironment } from '../../src/group/index.js';
import { firstHost } from '../../src/group/slurm-hosts.js';

describe('launchFromEnvironment', () => {
  it('is null for a process that was started alone', () => {
    expect(launchFromEnvironment({ PATH: '/bin' })).toBeNull();
    expect(launchFromEnvironment({ RANK: '0', WORLD_SIZE: '1' })).toBeNull();
    // A batch script of SLURM, and a shell of `salloc`: no step.
    expect(launchFromEnvironment({ SLURM_JOB_ID: '7', SLURM_NTASKS: '4', SLURM_PROCID: '0' })).toBeNull();
  });

  it('reads what torchrun sets, whose agent keeps MASTER_PORT', () => {
    const env = { RANK: '3', WORLD_SIZE: '8', LOCAL_WORLD_SIZE: '4', MASTER_ADDR: 'node-a', MASTER_PORT: '1234' };
    const launch = { rank: 3, size: 8, localSize: 4, leader: { host: 'node-a', port: 1234 } };
    expect(launchFromEnvironment(env)).toEqual(launch);
    expect(launchFromEnvironment({ ...env, TORCHELASTIC_USE_AGENT_STORE: 'True' })).toEqual({
      ...launch,
      leader: { host: 'node-a', port: 1235 },
    });
  });

  it('reads what srun sets', () => {
    const env = {
      SLURM_JOB_ID: '4711',
      SLURM_STEP_ID: '2',
      SLURM_PROCID: '5',
      SLURM_NODEID: '2',
      SLURM_STEP_NUM_TASKS: '6',
      SLURM_STEP_TASKS_PER_NODE: '2(x2),1(x2)',
      SLURM_STEP_NODELIST: 'cpu[007-009],big2',
    };
    expect(launchFromEnvironment(env)).toEqual({
      rank: 5,
      size: 6,
      localSize: 1,
      leader: { host: 'cpu007', port: 27_112 },
    });
    expect(launchFromEnvironment({ ...env, SLURM_NODEID: '1' })?.localSize).toBe(2);
    expect(launchFromEnvironment({ ...env, MASTER_ADDR: '10.0.0.1', MASTER_PORT: '9' })?.leader).toEqual({
      host: '10.0.0.1',
      port: 9,
    });
  });

  it('reads TF_CONFIG, with and without a chief', () => {
    const config = (cluster: object, task: object) => ({ TF_CONFIG: JSON.stringify({ cluster, task }) });
    const workers = { worker: ['a:1', 'b:2', 'b:3'] };
    expect(launchFromEnvironment(config(workers, { type: 'worker', index: 1 }))).toEqual({
      rank: 1,
      size: 3,
      localSize: 2,
      leader: { host: 'a', port: 1 },
    });
    const chief = { chief: ['c:9'], ...workers };
    expect(launchFromEnvironment(config(chief, { type: 'worker', index: 0 }))).toMatchObject({ rank: 1, size: 4 });
    expect(launchFromEnvironment(config(chief, { type: 'chief', index: 0 }))).toMatchObject({
      rank: 0,
      leader: { host: 'c', port: 9 },
    });
  });

  it.each([
    [{ RANK: '0' }, 'RANK is set, but WORLD_SIZE is not.'],
    [{ RANK: '0', WORLD_SIZE: '2' }, 'RANK is set, but MASTER_ADDR is not.'],
    [{ RANK: 'x', WORLD_SIZE: '2', MASTER_ADDR: 'a' }, 'RANK is "x", which is not a whole number of at least 0.'],
    [{ RANK: '2', WORLD_SIZE: '2', MASTER_ADDR: 'a' }, 'The launcher says that this is process 2 of 2.'],
    [{ TF_CONFIG: '{' }, 'TF_CONFIG is not a cluster of workers with a task.'],
    [
      { TF_CONFIG: '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}' },
      'TF_CONFIG has no address of the form host:port for worker 1.',
    ],
  ])('refuses %j', (env, message) => {
    expect(() => launchFromEnvironment(env)).toThrow(message);
  });
});

it.each([
  ['node1', 'node1'],
  ['node[01-04]', 'node01'],
  ['gpu[007-012,020],login1', 'gpu007'],
  ['rack[2,4]-a,other', 'rack2-a'],
  ['a,b', 'a'],
])('the first host of %s is %s', (list, host) => {
  expect(firstHost(list)).toBe(host);
});

it('a list without a host is refused', () => {
  expect(() => firstHost('')).toThrow('names no host');
});
