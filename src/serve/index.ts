/** @module A model behind HTTP, with the interface of OpenAI's completions. */
export { type AppOptions, createApp } from './app.js';
export { type Limits, STREAM_LIMITS } from './limits.js';
export { addressOf, type Listener, type ListenerOptions, openListener } from './listener.js';
export { type Page, readPage } from './page.js';
export { createScheduler, type Scheduler } from './scheduler.js';
