import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type Command, type Context, parsers, printResult, type Verb } from '../../src/commands/command.js';
import { dispatch } from '../../src/commands/dispatch.js';
import { ByteifyError, UsageError } from '../../src/errors.js';

type Run = (context: Context, args: Record<string, unknown>) => Promise<void>;

async function byteify(line: string, run: Run = async () => undefined) {
  const loaded: string[] = [];
  const make = (name: string): Command<Record<string, unknown>> => ({
    name,
    summary: `what ${name} does`,
    arguments: [
      { name: 'model', help: 'what to read' },
      { name: 'more', help: 'further files', optional: true, variadic: true },
    ],
    options: [
      {
        flags: '--steps <count>',
        formerly: '--turns <count>',
        help: 'how many',
        parse: parsers.integer(1),
        default: 3,
      },
      { flags: '--set <key=value>', help: 'override', repeatable: true },
      { flags: '--dtype <type>', help: 'precision', choices: ['bfloat16', 'float32'] },
      { flags: '--max-size <size>', help: 'size', parse: parsers.byteSize },
      { flags: '--widths <x...>', help: 'numbers', parse: parsers.positive },
    ],
    examples: [`byteify ${name} org/name`],
    run,
  });
  const verb = (name: string, load: Verb['load']): Verb => ({
    name,
    summary: `what ${name} does`,
    load: async () => {
      loaded.push(name);
      return load();
    },
  });
  const verbs = [
    verb('go', async () => make('go')),
    verb('other', async () => make('other')),
    verb('many', async () => ({ name: 'many', summary: 'verbs', commands: [make('one'), make('two')] })),
  ];
  const out = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof out) =>
    new Writable({
      decodeStrings: false,
      write(chunk, _encoding, done) {
        out[name] += chunk;
        done();
      },
    });
  const signals = new EventEmitter();
  const exits: number[] = [];
  const code = dispatch({
    argv: line.split(' ').filter((word) => word !== ''),
    verbs,
    version: '1.2.3',
    stdout: sink('stdout'),
    stderr: sink('stderr') as never,
    env: {},
    signals,
    exit: (now) => exits.push(now),
  });
  return { code, out, loaded, signals, exits };
}

async function outcome(line: string, run?: Run) {
  const { code, out, loaded } = await byteify(line, run);
  return { code: await code, ...out, loaded };
}

describe('the command table', () => {
  it('answers --help and --version without loading a verb', async () => {
    const help = await outcome('--help');
    expect(help).toMatchObject({ code: 0, stderr: '', loaded: [] });
    expect(help.stdout).toMatch(/go +what go does/);
    expect(await outcome('--version')).toMatchObject({ code: 0, stdout: '1.2.3\n', loaded: [] });
  });

  it('shows a verb’s arguments, options and examples, and the common options, without loading another verb', async () => {
    for (const line of ['go --help', 'help go', '--verbose go --help']) {
      const { code, stdout, loaded } = await outcome(line);
      expect(code).toBe(0);
      expect(stdout).toContain('<model> [more...]');
      expect(stdout).toContain('--steps <count>');
      expect(stdout).toContain('--json');
      expect(stdout).toContain('$ byteify go org/name');
      expect(loaded).toEqual(['go']);
    }
  });

  it('shows help on stderr and exits with 2 if no verb is given', async () => {
    const { code, stdout, stderr } = await outcome('');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: byteify');
  });

  it('passes arguments and options, with the common options before or after the verb', async () => {
    for (const line of [
      '--json go m a b --steps 7 --set x=1 --set y=2',
      'go m a b --steps 7 --set x=1 --set y=2 --json',
    ]) {
      let seen: unknown;
      const { code } = await outcome(line, async ({ json, verbose }, args) => {
        seen = { json, verbose, ...args };
      });
      expect(code).toBe(0);
      expect(seen).toEqual({ json: true, verbose: false, model: 'm', more: ['a', 'b'], steps: 7, set: ['x=1', 'y=2'] });
    }
  });

  it('finds a verb in a group', async () => {
    let seen: unknown;
    await outcome('many two m', async (_context, args) => {
      seen = args.model;
    });
    expect(seen).toBe('m');
  });

  it('accepts an option under its former name, with a warning, and does not show that name', async () => {
    let steps: unknown;
    const run: Run = async (_context, args) => {
      steps = args.steps;
    };
    const { code, stderr } = await outcome('go model --turns 7', run);
    expect([code, steps]).toEqual([0, 7]);
    expect(stderr).toContain('--turns has been renamed to --steps.');
    expect(await outcome('go model --turns none', run)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--turns'),
    });
    expect((await outcome('go model', run)).stderr).toBe('');
    expect(steps).toBe(3);
    expect((await outcome('go --help')).stdout).not.toContain('--turns');
  });

  it('parses each value of an option that takes several', async () => {
    const seen: unknown[] = [];
    const run: Run = async (_context, args) => void seen.push(args.widths);
    for (const line of ['go m --widths 3.5 4', 'go m --widths 6 --widths 8 --steps 2', 'go m'])
      await outcome(line, run);
    expect(seen).toEqual([[3.5, 4], [6, 8], undefined]);
    expect(await outcome('go m --widths 3.5 wide', run)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--widths must be a number above zero, not "wide".'),
    });
  });

  it('resets a repeatable option in each run', async () => {
    const seen: unknown[] = [];
    for (const line of ['go m --set x=1', 'go m'])
      await outcome(line, async (_context, args) => void seen.push(args.set));
    expect(seen).toEqual([['x=1'], []]);
  });
});

describe('wrong usage gives exit code 2, one sentence, and nothing on stdout', () => {
  it.each([
    ['og m', "error: Unknown command 'og'.\nhint: Did you mean go?\n"],
    ['go m --stesp 1', "error: Unknown option '--stesp'.\nhint: Did you mean --steps?\n"],
    ['go', "error: Missing required argument 'model'.\nhint: See `byteify go --help`.\n"],
    ['go m --steps', "error: Option '--steps <count>' argument missing.\nhint: See `byteify go --help`.\n"],
    ['go m --steps 0', 'error: --steps must be a whole number of at least 1, not "0".\n'],
    ['go m --steps 1.5', 'error: --steps must be a whole number of at least 1, not "1.5".\n'],
    ['go m --max-size 5parsec', 'error: --max-size must be a size such as 500MB or 5GB, not "5parsec".\n'],
    ['go m --dtype int8', 'Allowed choices are bfloat16, float32.'],
    ['many three', "error: Unknown command 'three'."],
  ])('%s', async (line, text) => {
    const { code, stdout, stderr } = await outcome(line);
    expect(stderr).toContain(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('failures', () => {
  it.each([
    [new ByteifyError('It failed.', { hint: 'Try.' }), 1, 'error: It failed.\nhint: Try.\n'],
    [new UsageError('Wrong.'), 2, 'error: Wrong.\n'],
    [
      new RangeError('bug\nsecond line'),
      1,
      'error: bug\nhint: Run it again with --verbose to see where it happened.\n',
    ],
  ])('%s', async (error, code, text) => {
    const failed = await outcome('go m --json', () => Promise.reject(error));
    expect(failed).toMatchObject({ code, stdout: '', stderr: text });
  });

  it('shows the stack with --verbose', async () => {
    const { stderr } = await outcome('go m --verbose', () => Promise.reject(new ByteifyError('It failed.')));
    expect(stderr).toContain('dispatch.test.ts');
  });
});

describe('signals', () => {
  const untilAborted: Run = (context) =>
    new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason as Error)));
  const tick = () => new Promise((resolve) => setImmediate(resolve));

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('%s stops the work and exits with %d', async (signal, code) => {
    const started = await byteify('go m', untilAborted);
    await tick();
    started.signals.emit(signal, signal);
    expect(await started.code).toBe(code);
    expect(started.out.stderr).toContain(`Stopped by ${signal}.`);
    expect(started.exits).toEqual([]);
    expect(started.signals.listenerCount(signal)).toBe(0);
  });

  it('have the same effect if the work checkpoints and returns', async () => {
    const started = await byteify('go m', (context) => untilAborted(context, {}).catch(() => undefined));
    await tick();
    started.signals.emit('SIGINT', 'SIGINT');
    expect(await started.code).toBe(130);
  });

  it('do not hide an error that occurred while stopping', async () => {
    const started = await byteify('go m', (context) =>
      untilAborted(context, {}).catch(() => Promise.reject(new ByteifyError('The disk is full.'))),
    );
    await tick();
    started.signals.emit('SIGINT', 'SIGINT');
    expect(await started.code).toBe(130);
    expect(started.out.stderr).toContain('error: The disk is full.');
  });

  it('end the process at the second one, but not at a copy that npm forwards at once', async () => {
    let release: () => void = () => {};
    const started = await byteify('go m', () => new Promise((resolve) => (release = resolve)));
    await tick();
    started.signals.emit('SIGINT', 'SIGINT');
    started.signals.emit('SIGINT', 'SIGINT');
    expect(started.exits).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    started.signals.emit('SIGINT', 'SIGINT');
    expect(started.exits).toEqual([130]);
    release();
    await started.code;
  });
});

describe('printResult', () => {
  it('prints one document with --json, and builds the text only without it', async () => {
    const run: Run = async (context) => printResult(context, { a_bytes: 1 }, () => (context.json ? 'never' : 'text\n'));
    expect(JSON.parse((await outcome('go m --json', run)).stdout)).toEqual({ a_bytes: 1 });
    expect((await outcome('go m', run)).stdout).toBe('text\n');
  });
});

describe('parsers', () => {
  it.each([
    ['500MB', 500e6],
    ['5gb', 5e9],
    ['4GiB', 4 * 2 ** 30],
    ['1.5K', 1500],
    ['12', 12],
  ])('read %s as %d bytes', (text, bytes) => {
    expect(parsers.byteSize(text)).toBe(bytes);
  });

  it.each(['', '0', '-1', 'x', 'NaN', 'Infinity'])('refuse %j as a positive number', (text) => {
    expect(() => parsers.positive(text)).toThrow('must be a number above zero');
  });
});
