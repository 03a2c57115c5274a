import { describe, expect, it } from 'vitest';
import type { FinishReason } from '../../src/generate/index.js';
import { createPromptLogprobs } from '../../src/generate/prompt-logprobs.js';
import type { Sequence } from '../../src/generate/sequence.js';
import { createSlotQueue } from '../../src/generate/slot-queue.js';

interface Scripted extends Sequence {
  finish: FinishReason | null;
  abandoned: boolean;
  readonly reasons: unknown[];
}

function sequences(count: number): Scripted[] {
  const siblings: Scripted[] = [];
  for (let i = 0; i < count; i++) {
    const reasons: unknown[] = [];
    siblings.push({
      ...{ prompt: [1], siblings, next: null, finish: null, abandoned: false, reasons },
      ...{ holder: null, isHolder: false, promptLogprobs: createPromptLogprobs(null) },
      output: (async function* () {})(),
      draw: () => 0,
      deliver: () => 0,
      fail: (reason) => reasons.push(reason),
    });
  }
  return siblings;
}

function open(slots: number) {
  const occupied: number[] = [];
  return { occupied, queue: createSlotQueue(slots, (slot) => occupied.push(slot)) };
}

describe('slots', () => {
  it('are assigned to requests in turn, to all sequences of a request at once', () => {
    const { queue, occupied } = open(3);
    const [first, second, third] = [sequences(2), sequences(2), sequences(1)];
    for (const request of [first, second, third]) queue.add(request);
    expect(queue.state()).toEqual({ running: 0, waiting: 5 });
    queue.update();
    // One slot is free, but the second request needs two, and the third comes after it.
    expect(queue.running).toEqual([...first, null]);
    expect(queue.state()).toEqual({ running: 2, waiting: 3 });
    first[0]!.finish = 'eos';
    queue.removeFinished();
    queue.update();
    expect(queue.running).toEqual([second[0], first[1], second[1]]);
    expect(occupied).toEqual([0, 1, 0, 2]);
    for (const sequence of [...first, ...second]) sequence.finish = 'length';
    queue.removeFinished();
    queue.update();
    expect(queue.running).toEqual([third[0], null, null]);
    third[0]!.finish = 'stop';
    expect(queue.isBusy()).toBe(true);
    queue.removeFinished();
    expect(queue.isBusy()).toBe(false);
  });

  it('and places in the queue are freed only by abandoned sequences', () => {
    const { queue } = open(2);
    const [running, waiting, last] = [sequences(2), sequences(2), sequences(2)];
    for (const request of [running, waiting, last]) queue.add(request);
    queue.update();
    running[0]!.abandoned = true;
    waiting[0]!.abandoned = true;
    queue.update();
    // One of two waiting samples is abandoned: the other keeps its place.
    expect(queue.state()).toEqual({ running: 1, waiting: 4 });
    expect(queue.running).toEqual([null, running[1]]);
    waiting[1]!.abandoned = true;
    queue.update();
    expect(queue.state()).toEqual({ running: 1, waiting: 2 });
    running[1]!.finish = 'eos';
    queue.removeFinished();
    queue.update();
    expect(queue.running).toEqual(last);
  });

  it('end with the error of a generator that fails', () => {
    const { queue } = open(1);
    const [running, waiting] = [sequences(1), sequences(1)];
    queue.add(running);
    queue.add(waiting);
    queue.update();
    queue.failAll('broken');
    expect([running[0]!.reasons, waiting[0]!.reasons]).toEqual([['broken'], ['broken']]);
    expect(queue.isBusy()).toBe(false);
  });
});
