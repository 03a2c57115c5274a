/** @module Adapts a finished model to other text: more training of the patcher and the model, in a conversion folder of its own. */
import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { needsSource } from '../blt/index.js';
import { UsageError } from '../errors.js';
import type { Recipe } from '../recipe/index.js';
import { adoptStep } from './adopt-step.js';
import type { StepContext } from './context.js';
import { dataStep } from './data-step.js';
import { exportStep } from './export-step.js';
import { finetuneStep } from './finetune-step.js';
import { patcherStep } from './patcher-step.js';
import { type TokenBaseline, tokenBaselineStep } from './token-baseline-step.js';

/** Keys of a recipe that determine sizes, which an adapted model already has. */
const SIZES = {
  blt: [
    'cross_attn_k',
    'hidden_size',
    'heads',
    'encoder_layers',
    'decoder_layers',
    'intermediate_size',
    'hash_sizes',
    'hash_functions',
    'hash_vocab',
    'window',
  ],
  patcher: ['hidden_size', 'layers', 'heads', 'intermediate_size', 'window'],
} as const satisfies { [Section in 'blt' | 'patcher']: readonly (keyof Recipe[Section])[] };

/** @throws UsageError for a recipe that sets a size, or has a stage that only a remapped model needs */
function checkRecipe(recipe: Recipe): void {
  const set = (['blt', 'patcher'] as const).flatMap((section) =>
    SIZES[section].flatMap((key) => {
      const values: Readonly<Record<string, unknown>> = recipe[section];
      return values[key] === undefined ? [] : [`${section}.${key}`];
    }),
  );
  if (set[0] !== undefined)
    throw new UsageError(`The recipe sets ${set[0]}, but a model that is adapted keeps its sizes.`, {
      hint: 'Use the recipe adapt, or one without sizes.',
    });
  if (recipe.stages.some(({ kind }) => kind === 'closed-form'))
    throw new UsageError('A closed-form stage would replace what the model has learnt.', {
      hint: 'Use the recipe adapt, or one whose stages take gradient steps.',
    });
  const learning = recipe.stages.find(needsSource);
  if (learning !== undefined)
    throw new UsageError(
      `A stage of kind ${learning.kind} would learn from the source's layers, and the model's are no longer those.`,
      { hint: 'Use the recipe adapt, or one with only end-to-end or join stages without prefix_kl.' },
    );
}

/** @throws UsageError if the model lies where it would be written */
function checkPlace({ conversion }: StepContext, from: string): void {
  const way = relative(resolve(conversion.folder), resolve(from));
  if (isAbsolute(way) || way.split(sep)[0] === '..') return;
  throw new UsageError(`${from} is in ${conversion.folder}, which the adaptation would replace.`, {
    hint: 'Choose another --out.',
  });
}

/** @throws UsageError if the source cannot be trained beside the model: it is not known, or not all data are text */
function checkBaseline({ conversion, recipe }: StepContext): void {
  if (!existsSync(conversion.path('import')))
    throw new UsageError('The model was adapted from a plain checkpoint folder, so its source is not known.', {
      hint: 'Leave --token-baseline out, or adapt the conversion.',
    });
  const other = Object.entries(recipe.data.domains ?? {}).find(([, { kind }]) => kind !== 'text');
  if (other !== undefined)
    throw new UsageError(`The source cannot be trained on the domain "${other[0]}", which is no text.`, {
      hint: 'Leave --token-baseline out.',
    });
}

/**
 * @param from a conversion or a BLT checkpoint folder; @param data the files and folders to train on
 * @param options.tokenBaseline whether the source is trained as well, to compare with
 * @returns what the baseline found; null without one
 * @throws UsageError when the recipe does not fit, or the model, recipe or data changed since; the signal's reason when stopped; another call resumes
 */
export async function adapt(
  context: StepContext,
  from: string,
  data: readonly string[],
  { tokenBaseline = false }: { readonly tokenBaseline?: boolean } = {},
): Promise<TokenBaseline | null> {
  checkRecipe(context.recipe);
  checkPlace(context, from);
  await adoptStep(context, from);
  if (tokenBaseline) checkBaseline(context);
  const store = await dataStep(context, data);
  try {
    await patcherStep(context, store);
    await finetuneStep(context, store);
    await exportStep(context);
    return tokenBaseline ? await tokenBaselineStep(context, store) : null;
  } finally {
    await store.close();
  }
}
