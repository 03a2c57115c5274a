import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { listenForStop } from '../../src/commands/signals.js';

/** A fake process whose clock is set by the test. */
function listening() {
  const source = new EventEmitter();
  const [exits, first]: [number[], string[]] = [[], []];
  let nowMs = 0;
  const stop = listenForStop({
    source,
    exit: (code) => void exits.push(code),
    onFirst: (signal) => void first.push(signal),
    now: () => nowMs,
  });
  const send = (signal: string, atMs: number) => {
    nowMs = atMs;
    source.emit(signal, signal);
  };
  return { source, exits, first, stop, send };
}

it('the first signal aborts, and is reported once', () => {
  const { first, stop, send, exits } = listening();
  expect([stop.signal.aborted, stop.requestedBy()]).toEqual([false, null]);
  send('SIGTERM', 0);
  expect([stop.signal.aborted, stop.requestedBy(), first]).toEqual([true, 'SIGTERM', ['SIGTERM']]);
  expect(stop.signal.reason).toMatchObject({ name: 'AbortError' });
  expect(exits).toEqual([]);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])('a second signal, %s, ends the process with %i, unless it is a copy that a parent sends at once', (signal, code) => {
  const { send, exits, first } = listening();
  send('SIGINT', 1000);
  send(signal, 1050);
  expect(exits).toEqual([]);
  send(signal, 2000);
  expect(exits).toEqual([code]);
  expect(first).toHaveLength(1);
});

it('signals are no longer handled after dispose', () => {
  const { source, stop } = listening();
  stop.dispose();
  expect([source.listenerCount('SIGINT'), source.listenerCount('SIGTERM')]).toEqual([0, 0]);
});
