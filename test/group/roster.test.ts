import { beforeEach, describe, expect, it } from 'vitest';
import type { Answer, Request } from '../../src/group/messages.js';
import { createRoster, type Roster } from '../../src/group/roster.js';

const NOTHING = new Uint8Array();
const LIMITS = { silence: 10, join: 60, step: 100 };

describe('a roster of three', () => {
  let seconds = 0;
  let roster: Roster;
  /** What each process was told, by rank. Signs of life are left out. */
  let told: { answer: Answer; body: Uint8Array }[][];
  const lastTo = (rank: number) => told[rank]?.at(-1)?.answer;
  const joining = (rank: number): Request & { type: 'join' } => ({
    ...{ type: 'join', rank, size: 3, version: '1', host: `host-${rank}`, pid: 100 + rank },
  });
  const join = (rank: number, changed: Partial<Request & { type: 'join' }> = {}) =>
    roster.join(
      { ...joining(rank), ...changed },
      {
        send(answer, body = NOTHING) {
          if (answer.type === 'alive') return;
          told[rank] ??= [];
          told[rank].push({ answer, body });
        },
      },
    );
  const gather = (rank: number, turn: number, body: number[], patient = false) =>
    roster.handle(rank, { type: 'gather', channel: 'steps', turn, patient }, Uint8Array.from(body));

  beforeEach(() => {
    seconds = 0;
    told = [];
    roster = createRoster({ size: 3, version: '1', limits: LIMITS, now: () => seconds });
    for (const rank of [2, 0, 1]) expect(join(rank)).toBe(true);
  });

  it('tells all who is there once all have joined', () => {
    for (const rank of [0, 1, 2]) {
      expect(lastTo(rank)).toEqual({
        type: 'joined',
        members: [0, 1, 2].map((each) => ({ rank: each, host: `host-${each}`, pid: 100 + each })),
      });
    }
  });

  it('passes on bodies by rank, each turn when all have sent theirs', () => {
    gather(1, 0, [1, 1]);
    gather(1, 1, [11]);
    gather(0, 0, [0]);
    expect(lastTo(0)?.type).toBe('joined');
    gather(2, 0, []);
    expect(told[2]!.at(-1)).toEqual({
      answer: { type: 'gathered', channel: 'steps', turn: 0, lengths: [1, 2, 0] },
      body: Buffer.from([0, 1, 1]),
    });
    gather(2, 1, [22]);
    gather(0, 1, [10]);
    expect(told[0]!.at(-1)!.body).toEqual(Buffer.from([10, 11, 22]));
  });

  it('names a process whose connection is gone, once', () => {
    roster.gone(1);
    roster.gone(2);
    expect(lastTo(0)).toEqual({ type: 'lost', message: 'Process 1 (pid 101 on host-1) has ended.' });
    expect(told[0]!.filter(({ answer }) => answer.type === 'lost')).toHaveLength(1);
  });

  it('does not miss a process that has left in good order, until one waits for it', () => {
    roster.handle(1, { type: 'leave' }, NOTHING);
    roster.gone(1);
    seconds = 50;
    for (const rank of [0, 2]) roster.handle(rank, { type: 'alive' }, NOTHING);
    roster.check();
    expect(lastTo(0)?.type).toBe('joined');
    gather(0, 0, []);
    expect(lastTo(2)).toEqual({
      type: 'lost',
      message: 'Process 1 (pid 101 on host-1) has left, and process 0 waits for it.',
    });
  });

  it('names a silent process', () => {
    seconds = 9;
    for (const rank of [0, 1]) roster.handle(rank, { type: 'alive' }, NOTHING);
    roster.check();
    expect(lastTo(0)?.type).toBe('joined');
    seconds = 11;
    roster.check();
    const message = 'Process 2 (pid 102 on host-2) has given no sign of life for 10 s.';
    expect(lastTo(0)).toEqual({ type: 'lost', message });
  });

  it('names those that are alive and do not come, unless the others are patient', () => {
    gather(0, 0, []);
    roster.handle(0, { type: 'gather', channel: 'tasks', turn: 0, patient: true }, NOTHING);
    for (seconds = 0; seconds <= 100; seconds += 5) {
      for (const rank of [0, 1, 2]) roster.handle(rank, { type: 'alive' }, NOTHING);
      roster.check();
    }
    expect(lastTo(0)?.type).toBe('joined');
    seconds = 101;
    roster.check();
    expect(lastTo(0)).toEqual({
      type: 'lost',
      message: 'Processes 1 and 2 did not reach steps 0 within 100 s, and the others wait for it.',
    });
  });

  it('passes on a failure and a request to stop', () => {
    roster.handle(2, { type: 'stop' }, NOTHING);
    expect([0, 1, 2].map(lastTo)).toEqual(Array(3).fill({ type: 'stop' }));
    roster.handle(2, { type: 'failed', message: 'The disk is full.' }, NOTHING);
    expect(lastTo(0)).toEqual({ type: 'lost', message: 'Process 2 (pid 102 on host-2) failed: The disk is full.' });
  });

  it.each([
    [{ version: '2' }, 'Process 1 runs byteify 2, and process 0 runs 1.'],
    [{ size: 4 }, 'Process 1 was launched as one of 4, and process 0 as one of 3.'],
    [{}, 'Process 1 (pid 101 on host-1) has joined already, and another process says that it is 1.'],
  ])('refuses a process with %j', (changed, message) => {
    expect(join(1, changed)).toBe(false);
    expect(lastTo(1)).toMatchObject({ type: 'refused', message });
  });
});

it('says which processes did not join', () => {
  let seconds = 0;
  let last: Answer | null = null;
  const roster = createRoster({ size: 3, version: '1', limits: LIMITS, now: () => seconds });
  const send = (answer: Answer) => {
    last = answer;
  };
  roster.join({ type: 'join', rank: 0, size: 3, version: '1', host: 'a', pid: 1 }, { send });
  for (seconds = 0; seconds < 62; seconds += 1) {
    roster.handle(0, { type: 'alive' }, NOTHING);
    roster.check();
  }
  expect(last).toEqual({ type: 'lost', message: 'Processes 1 and 2 of 3 did not join within 60 s.' });
});
