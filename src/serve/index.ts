/** @module Serves a model over HTTP, with OpenAI's completions API. */
export { createApp } from './app.js';
export type { AppOptions } from './app-options.js';
export { type Limits, STREAM_LIMITS } from './limits.js';
export { addressOf, type Listener, type ListenerOptions, openListener } from './listener.js';
export { type Page, readPage } from './page.js';
export { createScheduler, type Scheduler } from './scheduler.js';
