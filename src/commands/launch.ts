/** @module `byteify launch`: several processes of a command on this machine. */
import { UsageError } from '../errors.js';
import { type Command, parsers } from './command.js';
import { launchProcesses } from './launch-processes.js';

interface Args {
  readonly processes: number;
  readonly restarts: number;
  readonly command: readonly string[];
}

/** Commands that several processes can share; the others would do the same work several times. */
const SHARED = ['convert', 'finetune'];

export const launch: Command<Args> = {
  name: 'launch',
  summary: 'train with several processes on this machine, each with its share of the cores',
  arguments: [{ name: 'command', help: 'convert or finetune, with its arguments', variadic: true }],
  options: [
    { flags: '--processes <n>', help: 'how many processes', parse: parsers.integer(1, 1024), required: true },
    {
      flags: '--restarts <n>',
      help: 'how often to start all of them again, from the last checkpoint, when one is lost',
      parse: parsers.integer(0, 1000),
      default: 0,
    },
  ],
  examples: ['byteify launch --processes 2 --restarts 3 -- finetune llama-blt --recipe llama-3.2-1b --data corpus/'],
  async run(context, { processes, restarts, command }) {
    const [verb] = command;
    if (verb === undefined || !SHARED.includes(verb)) {
      throw new UsageError(`Several processes cannot share ${verb === undefined ? 'nothing' : `\`${verb}\``}.`, {
        hint: `Write the command after --, one of: ${SHARED.join(', ')}.`,
      });
    }
    // Flags of this command concern what the processes print.
    const flags = [...(context.json ? ['--json'] : []), ...(context.verbose ? ['--verbose'] : [])];
    await launchProcesses({ context, processes, restarts, command: [...command, ...flags] });
  },
};
