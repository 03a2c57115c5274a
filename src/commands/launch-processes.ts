/** @module Starts the processes of a group on this machine, waits for all of them, and starts them again when one is lost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { ByteifyError } from '../errors.js';
import { freePort } from '../net/index.js';
import type { Context } from './command.js';

export interface LaunchOptions {
  readonly context: Context;
  readonly processes: number;
  /** How often all processes are started again. */
  readonly restarts: number;
  /** The arguments of each process: a verb and its own. */
  readonly command: readonly string[];
}

/** How a process ended. */
export interface End {
  readonly rank: number;
  readonly code: number | null;
  readonly killedBy: NodeJS.Signals | null;
  /** What a process other than that of rank 0 wrote to stderr: the end of it. */
  readonly said: string;
}

const HOST = '127.0.0.1';
/** Wrong usage fails the same way again. */
const USAGE = 2;
/** Characters of stderr that are kept of each process. */
const KEPT = 4096;
/** How long the others may take to notice that one is gone, before they are ended. */
const GRACE_MS = 60_000;

/** The variables that torchrun sets too. */
function environment(rank: number, processes: number, port: number): NodeJS.ProcessEnv {
  return {
    ...process.env,
    RANK: String(rank),
    WORLD_SIZE: String(processes),
    LOCAL_RANK: String(rank),
    LOCAL_WORLD_SIZE: String(processes),
    MASTER_ADDR: HOST,
    MASTER_PORT: String(port),
  };
}

/** Rank 0 reports to the user; what the others write is kept in case that it cannot. */
function start(
  rank: number,
  env: NodeJS.ProcessEnv,
  command: readonly string[],
): { child: ChildProcess; end: Promise<End> } {
  const leads = rank === 0;
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...command], {
    env,
    stdio: ['ignore', leads ? 'inherit' : 'ignore', leads ? 'inherit' : 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (text: Buffer) => {
    said = (said + text.toString()).slice(-KEPT);
  });
  const end = new Promise<End>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => resolve({ rank, code, killedBy, said }));
  });
  return { child, end };
}

/** Runs all processes once. @returns how each ended, the first to end first */
async function runOnce({ context, processes, command }: LaunchOptions): Promise<End[]> {
  const port = await freePort(HOST);
  const started = Array.from({ length: processes }, (_, rank) =>
    start(rank, environment(rank, processes, port), command),
  );
  const killAll = (signal: NodeJS.Signals) => {
    for (const { child } of started) if (child.exitCode === null && child.signalCode === null) child.kill(signal);
  };
  const stop = () => killAll('SIGTERM');
  context.signal.addEventListener('abort', stop);
  const ends: End[] = [];
  let grace: NodeJS.Timeout | null = null;
  const noted = started.map(async ({ end }) => {
    const ended = await end;
    ends.push(ended);
    if (ended.code !== 0) grace ??= setTimeout(() => killAll('SIGKILL'), GRACE_MS);
  });
  try {
    await Promise.all(noted);
    return ends;
  } finally {
    if (grace !== null) clearTimeout(grace);
    context.signal.removeEventListener('abort', stop);
    killAll('SIGKILL');
  }
}

/** The end that explains the others: wrong usage, although a process that hears of it may end sooner; otherwise the first failure. */
export function causeOf(ends: readonly End[]): End | undefined {
  return ends.find(({ code }) => code === USAGE) ?? ends.find(({ code }) => code !== 0);
}

/** Rank 0 has told the user what happened, unless it was killed: then one of the others has noticed. */
function tell(ends: readonly End[], { reporter }: Context): void {
  const leader = ends.find(({ rank }) => rank === 0);
  const witness = ends.find(({ rank, said }) => rank > 0 && said !== '');
  if (leader?.killedBy != null && witness !== undefined) reporter.warn(witness.said.trim());
}

/**
 * Runs the processes until they are done or have failed once more than they may be restarted.
 * @throws ByteifyError when they failed
 */
export async function launchProcesses(options: LaunchOptions): Promise<void> {
  const { context, restarts } = options;
  for (let restart = 0; ; restart++) {
    const ends = await runOnce(options);
    const failed = causeOf(ends);
    if (failed === undefined || context.signal.aborted) return;
    tell(ends, context);
    const how = failed.killedBy === null ? `with exit code ${failed.code}` : `by ${failed.killedBy}`;
    if (restart === restarts || failed.code === USAGE) {
      throw new ByteifyError(`Process ${failed.rank} ended ${how}, and the others with it.`, {
        hint: 'Run the same command again to resume from the last checkpoint.',
        exitCode: failed.code === USAGE ? USAGE : 1,
      });
    }
    context.reporter.warn(`Process ${failed.rank} ended ${how}: starting all again (${restart + 1} of ${restarts}).`);
  }
}
