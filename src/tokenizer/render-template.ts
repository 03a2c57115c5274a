/**
 * @module Renders a chat template, which is a program that is part of the model, in a separate process with limits on time and memory.
 * The process is kept for the next conversation.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { ByteifyError, UsageError } from '../errors.js';
import type { RenderAnswer, RenderRequest } from './render-protocol.js';

export interface TemplateRenderer {
  /**
   * Renders the template. Calls are queued.
   * @param context the template's variables, which must survive JSON
   * @throws UsageError when the template rejects the messages; ByteifyError naming its file when it exceeds a limit
   */
  render(context: Readonly<Record<string, unknown>>): Promise<string>;
  /** Ends the process. A later rendering starts a new one. */
  close(): void;
}

export interface RenderLimits {
  readonly timeoutMs: number;
  readonly memoryMb: number;
  readonly maximumCharacters: number;
}

/** A long conversation in a large template takes about 10 ms and a few MB, and its output is about as long as its input. */
const LIMITS: RenderLimits = { timeoutMs: 5000, memoryMb: 256, maximumCharacters: 2 ** 24 };

/** The process enforces the time limit itself; this covers its start, and a process that hangs. */
const GRACE_MS = 15_000;

const HINT =
  'Remove or replace the template in a copy of the model: the template of a real model finishes within milliseconds.';

const FILE = new URL('./template-process.js', import.meta.url);

/** An idle child process must not keep this process alive; it ends when its channel closes. */
function setWaitedFor(child: ChildProcess, isWaitedFor: boolean): void {
  for (const part of [child, child.channel]) {
    if (isWaitedFor) part?.ref();
    else part?.unref();
  }
}

function start({ memoryMb }: RenderLimits): ChildProcess {
  // The flags of this process may not suit the child.
  const { NODE_OPTIONS: _, ...env } = process.env;
  return fork(FILE, {
    execArgv: [`--max-old-space-size=${memoryMb}`, '--max-semi-space-size=16'],
    env,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** Sends a request to the child process. @returns the answer, or null if the process ended without one. */
function ask(child: ChildProcess, request: RenderRequest): Promise<RenderAnswer | null> {
  return new Promise((resolve) => {
    const settle = (answer: RenderAnswer | null) => {
      clearTimeout(timer);
      child.off('message', settle).off('exit', ended).off('error', ended);
      setWaitedFor(child, false);
      resolve(answer);
    };
    const ended = () => settle(null);
    const timer = setTimeout(() => child.kill('SIGKILL'), request.timeoutMs + GRACE_MS);
    setWaitedFor(child, true);
    child.on('message', settle).on('exit', ended).on('error', ended);
    child.send(request, (error) => {
      if (error !== null) ended();
    });
  });
}

/** @param path of the file that has the template, for errors. */
export function createTemplateRenderer(
  { template, path }: { readonly template: string; readonly path: string },
  limits: RenderLimits = LIMITS,
): TemplateRenderer {
  const { timeoutMs, memoryMb, maximumCharacters } = limits;
  let child: ChildProcess | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const exceeded = (what: string) => new ByteifyError(`The chat template in ${path} ${what}.`, { hint: HINT });

  function close(): void {
    child?.kill('SIGKILL');
    child = null;
  }

  async function renderNow(context: Readonly<Record<string, unknown>>): Promise<string> {
    child ??= start(limits);
    const answer = await ask(child, { template, context, timeoutMs, maximumCharacters });
    if (answer !== null && 'text' in answer) return answer.text;
    // A template that exceeded a limit leaves the process in an unknown state.
    if (answer === null || 'exceeded' in answer) close();
    if (answer === null)
      throw exceeded(`needs more than ${memoryMb} MB of memory, or ended the process that renders it`);
    if ('exceeded' in answer)
      throw exceeded(
        answer.exceeded === 'time'
          ? `did not finish within ${timeoutMs / 1000} s`
          : `wrote more than ${maximumCharacters} characters`,
      );
    throw new UsageError(`The model’s chat template does not take these messages: ${answer.refused}.`, {
      hint: 'Templates differ in the roles and the order that they accept; in most, system or user comes first, and user and assistant then alternate.',
    });
  }

  return {
    render(context) {
      const rendered = last.then(() => renderNow(context));
      last = rendered.catch(() => undefined);
      return rendered;
    },
    close,
  };
}
