import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEventStream } from '../../src/serve/event-stream.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

function open(limits = { streamBytes: 100, stallMs: 30 }) {
  const told: string[] = [];
  const events = createEventStream(limits, { onGone: () => told.push('gone'), onSlow: () => told.push('slow') });
  return { ...events, told, reader: events.body.getReader() };
}

const textOf = (value: Uint8Array | undefined) => new TextDecoder().decode(value);

describe('server-sent events', () => {
  it('reach a reading client in order, and end', async () => {
    const { send, end, reader, told } = open();
    const first = reader.read();
    send('one');
    expect(textOf((await first).value)).toBe('data: one\n\n');
    send('two');
    send('three');
    end();
    send('never');
    expect(textOf((await reader.read()).value)).toBe('data: two\n\ndata: three\n\n');
    expect((await reader.read()).done).toBe(true);
    vi.advanceTimersByTime(50);
    expect(told).toEqual([]);
  });

  it('are dropped when too much is buffered', async () => {
    const { send, reader, told } = open();
    for (let i = 0; i < 11; i++) send('x');
    expect(told).toEqual([]);
    send('x');
    expect(told).toEqual(['slow', 'gone']);
    send('x'.repeat(1000));
    expect((await reader.read()).done).toBe(true);
  });

  it('are dropped when they are buffered for too long', async () => {
    const { send, told, reader } = open();
    send('x');
    vi.advanceTimersByTime(15);
    await reader.read();
    send('y');
    vi.advanceTimersByTime(20);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(25);
    expect(told).toEqual(['slow', 'gone']);
  });

  it('are dropped even after their end if nobody reads them', async () => {
    const { send, end, told } = open();
    send('x');
    end();
    vi.advanceTimersByTime(50);
    expect(told).toEqual(['slow', 'gone']);
  });

  it('stop when the client disconnects, whether it is reading or not', async () => {
    for (const waits of [false, true]) {
      const { send, end, reader, told } = open();
      if (waits) void reader.read();
      await reader.cancel();
      send('x');
      end();
      vi.advanceTimersByTime(40);
      expect(told).toEqual(['gone']);
    }
  });
});
