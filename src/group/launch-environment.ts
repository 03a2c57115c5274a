/**
 * @module What a launcher's environment variables say about this process. One row for each launcher: torchrun (and whatever sets its variables,
 * such as `byteify launch` or a Kubernetes Job), SLURM's srun, and TensorFlow's TF_CONFIG.
 */
import { z } from 'zod';
import { UsageError } from '../errors.js';
import { firstHost } from './slurm-hosts.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The place of a process among those that were launched together. */
export interface Launch {
  /** From 0. The process of rank 0 leads: it writes all files and keeps the service that the others connect to. */
  readonly rank: number;
  /** How many processes were launched. */
  readonly size: number;
  /** How many of them run on this machine and share its cores. */
  readonly localSize: number;
  /** Where rank 0 listens. */
  readonly leader: { readonly host: string; readonly port: number };
}

interface Launcher {
  /** The variable whose presence tells that this launcher started the process. */
  readonly mark: string;
  read(env: Environment): Launch;
}

const DEFAULT_PORT = 29_500;

function required(env: Environment, name: string, mark: string): string {
  const value = env[name];
  if (value !== undefined && value !== '') return value;
  throw new UsageError(`${mark} is set, but ${name} is not.`, {
    hint: `A launcher sets both. To run a single process, unset ${mark}.`,
  });
}

function count(env: Environment, name: string, { min = 0, otherwise }: { min?: number; otherwise?: number } = {}) {
  const value = env[name];
  if ((value === undefined || value === '') && otherwise !== undefined) return otherwise;
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= min && value!.trim() !== '') return number;
  throw new UsageError(`${name} is ${JSON.stringify(value)}, which is not a whole number of at least ${min}.`, {
    hint: 'The launcher sets this variable.',
  });
}

/** torchrun's agent keeps a service of its own at MASTER_PORT, so the next port is used. */
const agentKeepsPort = (env: Environment) => env.TORCHELASTIC_USE_AGENT_STORE === 'True';

const torchrun: Launcher = {
  mark: 'RANK',
  read(env) {
    required(env, 'WORLD_SIZE', this.mark);
    const size = count(env, 'WORLD_SIZE', { min: 1 });
    const port = count(env, 'MASTER_PORT', { min: 1, otherwise: DEFAULT_PORT });
    return {
      rank: count(env, 'RANK'),
      size,
      localSize: count(env, 'LOCAL_WORLD_SIZE', { min: 1, otherwise: 1 }),
      leader: {
        host: size === 1 ? '127.0.0.1' : required(env, 'MASTER_ADDR', this.mark),
        port: agentKeepsPort(env) ? port + 1 : port,
      },
    };
  },
};

/** srun sets SLURM_STEP_*; in the batch script itself, which runs once, they are absent. */
const slurm: Launcher = {
  mark: 'SLURM_STEP_NUM_TASKS',
  read(env) {
    const [job, step] = [count(env, 'SLURM_JOB_ID'), count(env, 'SLURM_STEP_ID', { otherwise: 0 })];
    return {
      rank: count(env, 'SLURM_PROCID'),
      size: count(env, 'SLURM_STEP_NUM_TASKS', { min: 1 }),
      localSize: tasksHere(required(env, 'SLURM_STEP_TASKS_PER_NODE', this.mark), count(env, 'SLURM_NODEID')),
      leader: {
        host: env.MASTER_ADDR ?? firstHost(required(env, 'SLURM_STEP_NODELIST', this.mark)),
        // Jobs on the same machine get ports of their own.
        port: count(env, 'MASTER_PORT', { min: 1, otherwise: 20_000 + ((job * 10 + step) % 10_000) }),
      },
    };
  },
};

/** SLURM's list of tasks on each node, such as `2(x3),1`: three nodes of two tasks, then one of one. */
function tasksHere(list: string, node: number): number {
  const counts = list.split(',').flatMap((part) => {
    const [, tasks, times = '1'] = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim()) ?? [];
    return tasks === undefined ? [] : Array.from({ length: Number(times) }, () => Number(tasks));
  });
  return counts[node] ?? 1;
}

const tfConfig = z.object({
  cluster: z.object({
    chief: z.array(z.string()).max(1).default([]),
    worker: z.array(z.string()).default([]),
  }),
  task: z.object({ type: z.enum(['chief', 'worker']), index: z.int().nonnegative() }),
});

function parsedConfig(text: string): z.infer<typeof tfConfig> {
  try {
    return tfConfig.parse(JSON.parse(text));
  } catch (cause) {
    throw new UsageError('TF_CONFIG is not a cluster of workers with a task.', {
      hint: 'It has the form {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}.',
      cause,
    });
  }
}

const tensorflow: Launcher = {
  mark: 'TF_CONFIG',
  read(env) {
    const { cluster, task } = parsedConfig(env.TF_CONFIG!);
    const addresses = [...cluster.chief, ...cluster.worker];
    const rank = task.type === 'chief' ? 0 : cluster.chief.length + task.index;
    const [, host, port] = /^(.+):(\d+)$/.exec(addresses[0] ?? '') ?? [];
    if (addresses[rank] === undefined || host === undefined) {
      throw new UsageError(`TF_CONFIG has no address of the form host:port for ${task.type} ${task.index}.`, {
        hint: 'List every process under cluster.worker, or the first one under cluster.chief.',
      });
    }
    const here = addresses[rank].replace(/:\d+$/, '');
    const localSize = addresses.filter((address) => address.replace(/:\d+$/, '') === here).length;
    return { rank, size: addresses.length, localSize, leader: { host, port: Number(port) } };
  },
};

/** In the order in which they are looked for: what a user sets explicitly precedes what a scheduler always sets. */
const LAUNCHERS: readonly Launcher[] = [torchrun, tensorflow, slurm];

/**
 * Reads the launcher's variables.
 * @returns null for a process that was started alone.
 * @throws UsageError naming the variable that is missing or makes no sense.
 */
export function launchFromEnvironment(env: Environment): Launch | null {
  const launcher = LAUNCHERS.find(({ mark }) => env[mark] !== undefined && env[mark] !== '');
  if (launcher === undefined) return null;
  const launch = launcher.read(env);
  if (launch.rank >= launch.size) {
    throw new UsageError(`The launcher says that this is process ${launch.rank} of ${launch.size}.`, {
      hint: 'Ranks count from 0 and are smaller than the number of processes.',
    });
  }
  return launch.size === 1 ? null : launch;
}
