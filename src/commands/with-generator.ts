/** @module Opens a generator for as long as a verb needs it. */
import type { Generator, GeneratorOptions } from '../generate/index.js';
import type { Context } from './command.js';
import { type EngineArgs, startEngineFor, type WeightsArgs } from './shared-options.js';

/** Runs `work` with a generator, and closes it afterwards. @param folder of a BLT checkpoint @param options of the generator */
export async function withGenerator(
  { reporter }: Context,
  args: EngineArgs & WeightsArgs,
  folder: string,
  options: GeneratorOptions,
  work: (generator: Generator) => Promise<void>,
): Promise<void> {
  reporter.stage('Opening the model');
  await startEngineFor(args);
  const { openGenerator } = await import('../generate/index.js');
  const { openResidentModel } = await import('../model/index.js');
  const model = await openResidentModel(folder, { weights: args.weights });
  const generator = openGenerator(model, options);
  try {
    reporter.done();
    await work(generator);
  } finally {
    await generator.close();
    model.dispose();
  }
}
