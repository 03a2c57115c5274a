/** @module Runs a command's work in each of the processes that a launcher started: rank 0 leads, and the others train with it. */
import { availableParallelism } from 'node:os';
import { ByteifyError, isAbort, messageOf, UsageError } from '../errors.js';
import type { Followers } from '../finetune/index.js';
import {
  type Environment,
  gatherValues,
  joinGroup,
  type Launch,
  type Limits,
  launchFromEnvironment,
  type ProcessGroup,
} from '../group/index.js';
import { freePort } from '../net/index.js';
import type { Context } from './command.js';
import { type EngineArgs, startEngineFor } from './shared-options.js';

/** What the process that leads works with. */
export interface Leading {
  /** Null if the process works alone. */
  readonly followers: Followers | null;
  /** Aborted when this process, or another one, is asked to stop. */
  readonly signal: AbortSignal;
  /** Starts the engine, here and in the other processes. @param threads those of the recipe; a flag precedes them. */
  startEngine(threads: number | undefined): Promise<void>;
}

/** The limits that variables set. */
const LIMIT_VARIABLES = { silence: 'BYTEIFY_SILENCE_SECONDS', step: 'BYTEIFY_STEP_SECONDS' } as const;

/** @throws UsageError when a variable is no time */
function limitsFrom(env: Environment): Partial<Limits> {
  const set = Object.entries(LIMIT_VARIABLES).flatMap(([limit, name]) => {
    const text = env[name];
    if (text === undefined || text === '') return [];
    const seconds = Number(text);
    if (seconds > 0 && Number.isFinite(seconds)) return [[limit, seconds] as const];
    throw new UsageError(`${name} is ${JSON.stringify(text)}, which is not a number of seconds above zero.`, {
      hint: 'Unset it to use the default.',
    });
  });
  return Object.fromEntries(set);
}

/** What each process tells the others before the engine starts. */
interface Start {
  readonly address: string;
  /** Rank 0's recipe's. */
  readonly threads: number | null;
}

/** An address as it stands in front of a port. */
function hostOf(address: string): string {
  const plain = address.replace(/^::ffff:/, '');
  return plain.includes(':') ? `[${plain}]` : plain;
}

/** Processes on one machine share its cores. */
const threadsOf = ({ localSize }: Launch): number | undefined =>
  localSize === 1 ? undefined : Math.max(1, Math.floor(availableParallelism() / localSize));

interface Joined {
  readonly group: ProcessGroup;
  readonly launch: Launch;
  readonly args: EngineArgs;
  readonly signal: AbortSignal;
}

/** Starts the engines of all processes. @param threads of the recipe, which only rank 0 knows */
async function startTogether({ group, launch, args }: Joined, threads: number | undefined): Promise<void> {
  const host = hostOf(group.address);
  const own: Start = { address: `${host}:${await freePort(group.address)}`, threads: threads ?? null };
  const channel = group.channel('the engines', { patient: true });
  const all = await gatherValues(channel, own);
  const cluster = { rank: group.rank, addresses: all.map(({ address }) => address) };
  await startEngineFor(args, all[0]!.threads ?? threadsOf(launch), cluster);
}

/**
 * Does the work, together with the other processes if there are some.
 * @param lead what a process does that works alone or leads. It must start the engine.
 * @throws ByteifyError that names the process when one is lost; what `lead` throws
 */
export async function inGroup(
  context: Context,
  args: EngineArgs,
  env: Environment,
  lead: (leading: Leading) => Promise<void>,
): Promise<void> {
  const launch = launchFromEnvironment(env);
  if (launch === null) {
    const alone = (threads: number | undefined) => startEngineFor(args, threads);
    return await lead({ followers: null, signal: context.signal, startEngine: alone });
  }
  const group = await joinGroup(launch, limitsFrom(env));
  const requestStop = () => group.requestStop();
  context.signal.addEventListener('abort', requestStop);
  const joined: Joined = { group, launch, args, signal: AbortSignal.any([context.signal, group.stop]) };
  try {
    await (group.rank === 0 ? leadGroup(joined, lead) : followLeader(joined));
  } catch (error) {
    throw reasonOf(error, joined, context.signal);
  } finally {
    context.signal.removeEventListener('abort', requestStop);
    await group.leave();
  }
}

/** Why a process of a group ends. If that concerns the others, they are told. */
function reasonOf(error: unknown, { group, signal }: Joined, own: AbortSignal): unknown {
  if (signal.aborted && (group.lost.aborted || isAbort(error))) {
    if (own.aborted) return own.reason;
    return new ByteifyError('Another process was asked to stop, and all of them stopped.', {
      hint: 'Run the same command again to resume.',
    });
  }
  if (group.lost.aborted) return group.lost.reason;
  group.fail(messageOf(error));
  return error;
}

async function leadGroup(joined: Joined, lead: (leading: Leading) => Promise<void>): Promise<void> {
  const { followersOf } = await import('../finetune/index.js');
  const followers = followersOf(joined.group);
  await lead({ followers, signal: joined.signal, startEngine: (threads) => startTogether(joined, threads) });
  await followers.announce({ kind: 'end' });
}

async function followLeader(joined: Joined): Promise<void> {
  const { follow } = await import('../finetune/index.js');
  await startTogether(joined, undefined);
  await follow(joined.group, joined.signal);
}
