/** @module What an app is made of, and the types of its requests. */
import type { HttpBindings } from '@hono/node-server';
import type { ChatPrompts, Generator } from '../generate/index.js';
import type { Limits } from './limits.js';
import type { Page } from './page.js';
import type { Scheduler } from './scheduler.js';

export interface AppOptions {
  readonly generator: Generator;
  readonly scheduler: Scheduler;
  /** Null if the model has no chat template. */
  readonly chat: ChatPrompts | null;
  /** The chat template itself, for clients that render it; null for none. */
  readonly chatTemplate: string | null;
  /** The model's name for clients. */
  readonly modelName: string;
  readonly limits: Limits;
  /** The key that requests to /v1 need; null for none. */
  readonly key: string | null;
  /** The loopback host on which the server listens, so that other host names are refused; null if it listens elsewhere. */
  readonly loopbackHost: string | null;
  readonly page: Page;
  /** Called with errors that are the server's fault. */
  readonly onFailure: (error: unknown) => void;
}

/** `outgoing` is Node's response; it is absent when a test calls the app directly. `client` is aborted when the client disconnects. */
export type Env = { Bindings: Partial<HttpBindings>; Variables: { client: AbortSignal } };
