import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createReporter } from '../../src/ui/reporter.js';

function recorder(options: { isTTY?: boolean; env?: Record<string, string>; json?: boolean } = {}) {
  let text = '';
  const stream = Object.assign(
    new Writable({
      write(chunk, _encoding, done) {
        text += chunk;
        done();
      },
    }),
    {
      isTTY: options.isTTY,
      columns: 80,
      cursorTo: () => true,
      clearLine: () => true,
      moveCursor: () => true,
      hasColors: () => false,
    },
  );
  let nowMs = 0;
  const reporter = createReporter({ stream, env: options.env ?? {}, json: options.json ?? false, now: () => nowMs });
  return { reporter, text: () => text, at: (ms: number) => (nowMs = ms) };
}

describe('in a log, the reporter', () => {
  it('prints a line per stage and one at its end, with the time it took', () => {
    const { reporter, text, at } = recorder();
    reporter.stage('Importing org/name');
    at(2000);
    reporter.done('3 files');
    expect(text()).toBe('Importing org/name ...\nImporting org/name: 3 files (2.0 s)\n');
  });

  it('prints progress every 10 %, at most once per second', () => {
    const { reporter, text, at } = recorder();
    reporter.stage('Copy');
    for (let done = 0; done <= 100; done++) {
      at(done * 200);
      reporter.progress({ done, total: 100, unit: 'steps' });
    }
    const shares = [...text().matchAll(/(\d+) %/g)].map((match) => Number(match[1]));
    expect(shares).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  });

  it('prints progress of a slow stage every half minute', () => {
    const { reporter, text, at } = recorder();
    reporter.stage('Copy');
    for (let second = 0; second <= 90; second++) {
      at(second * 1000);
      reporter.progress({ done: second * 1e6, total: 1e9, unit: 'bytes' });
    }
    expect(text().split('\n').slice(1, -1)).toEqual([
      '  Copy: 3 %, 30.0 MB of 1.00 GB, 1.00 MB/s, 16 min 10 s left',
      '  Copy: 6 %, 60.0 MB of 1.00 GB, 1.00 MB/s, 15 min 40 s left',
      '  Copy: 9 %, 90.0 MB of 1.00 GB, 1.00 MB/s, 15 min 10 s left',
    ]);
  });

  it('closes an open stage when the next begins, and prints nothing for one that was stopped', () => {
    const { reporter, text } = recorder();
    reporter.stage('one');
    reporter.stage('two');
    reporter.stop();
    reporter.done();
    expect(text()).toBe('one ...\none: done (0 ms)\ntwo ...\n');
  });

  it('prints no escape codes, nor on a terminal with CI or --json', () => {
    for (const options of [{}, { isTTY: true, env: { CI: 'true' } }, { isTTY: true, json: true }]) {
      const { reporter, text } = recorder(options);
      reporter.stage('one');
      reporter.note('a note');
      reporter.warn('a warning');
      reporter.done();
      expect(text()).toBe('one ...\na note\nwarning: a warning\none: done (0 ms)\n');
    }
  });
});

describe('on a terminal, the reporter', () => {
  it('shows a spinner, and leaves the closing line and the notes', () => {
    const { reporter, text, at } = recorder({ isTTY: true });
    reporter.stage('Importing');
    at(1000);
    reporter.progress({ done: 1, total: 2, unit: 'files' });
    reporter.note('kept');
    reporter.done('2 files');
    expect(text()).toContain('kept\n');
    expect(text()).toMatch(/Importing: 2 files \(1\.0 s\)\n/);
  });
});
