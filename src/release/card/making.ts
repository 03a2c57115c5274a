/** @module The card's section on how the model was made and how to reproduce it. */
import { dataWords, type Recipe, type RecipeStage, type StageKind } from '../../recipe/index.js';
import { counted, humanBytes, humanDuration, humanFlops } from '../../ui/index.js';
import { PROVENANCE_NAME, RECIPE_NAME } from '../provenance.js';
import type { CardInputs } from './inputs.js';
import { code, escapeText, markdownTable, significant } from './markdown.js';

const DESCRIPTIONS: Readonly<Record<StageKind, string>> = {
  'closed-form': 'n-gram tables, projections and head are solved from the source, without gradient steps',
  'align-encoder': 'the encoder learns the embeddings of the source’s tokens',
  'distill-decoder': 'the decoder learns to read the source’s own final hidden states',
  join: 'encoder and decoder learn together around the source’s frozen layers',
  'end-to-end': 'all parts learn to predict the next byte',
};

export function howItWasMade(card: CardInputs): string {
  const { byteify, recipe: named } = card.provenance;
  const by = `Made by byteify ${escapeText(byteify)}`;
  const history = `[${PROVENANCE_NAME}](${PROVENANCE_NAME}) records the digest of every source file and all measurements of the conversion.`;
  if (card.recipe === null || named === null) return `${by} from a checkpoint without a recorded history.`;
  return [
    `${by} with the recipe ${code(named.name)} (digest ${code(named.sha256)}); [${RECIPE_NAME}](${RECIPE_NAME}) has every setting written out. ${history}`,
    markdownTable(['step', 'what happens', 'optimizer steps:', 'bytes per step:'], steps(card.recipe)),
    ...effort(card),
    ...adaptation(card),
    ...elsewhere(card),
    `To reproduce it ${sameSource(card)}, with the same ${dataPlace(card.recipe)}:`,
    `\`\`\`sh\nbyteify ${card.provenance.adapted_from === undefined ? 'convert' : 'adapt BLT'} --recipe recipe.yaml --data ${dataWords(card.recipe, (name) => name).join(' ')} --out again\n\`\`\``,
  ].join('\n\n');
}

/** Where a reader has to put the data for the command. */
const dataPlace = ({ data: { domains } }: Recipe): string =>
  domains === undefined ? 'text in the folder `text`' : 'data in folders that are called like its domains';

function steps({ patcher, stages }: Recipe): string[][] {
  const first = ['patcher', 'a byte model learns where text is hard to predict', patcher.steps, patcher.batch_bytes];
  return [first, ...stages.map(step)].map((row) =>
    row.map((value) => (typeof value === 'number' ? significant(value) : value)),
  );
}

function step(stage: RecipeStage): (string | number)[] {
  const [count, bytes] = stage.kind === 'closed-form' ? ['', ''] : [stage.steps, stage.batch_bytes];
  return [stage.kind, DESCRIPTIONS[stage.kind], count, bytes];
}

function effort({ provenance: { stages } }: CardInputs): string[] {
  const seconds = Object.values(stages).reduce((sum, stage) => sum + stage.seconds, 0);
  const flops = stages.finetune?.metrics.flops;
  if (seconds === 0) return [];
  const work = flops === undefined ? '' : `; training the model took ${humanFlops(flops)} (floating-point operations)`;
  return [`All stages together took ${humanDuration(seconds)}${work}.`];
}

function adaptation({ provenance: { adapted_from: from } }: CardInputs): string[] {
  if (from === undefined) return [];
  return [
    `It was adapted from the BLT ${code(from.model)} (SHA-256 over the names and digests of its files ${code(from.sha256)}), which \`BLT\` stands for below.`,
  ];
}

function elsewhere({ provenance: { trained_elsewhere: trainings = [] } }: CardInputs): string[] {
  return trainings.map(
    ({ steps, bytes, script, torch }) =>
      `After that it was trained in PyTorch ${escapeText(torch)} for ${counted(steps, 'step')} on ${humanBytes(bytes)} of text, by version ${script} of byteify's script, which the command below does not repeat.`,
  );
}

function sameSource({ provenance: { source, adapted_from: adapted } }: CardInputs): string {
  if (adapted !== undefined) return 'from the same BLT';
  if (source === null) return 'from the same checkpoint';
  if (source.revision !== null) return `from the same commit of the source, which ${RECIPE_NAME} names`;
  if (source.model.startsWith('builtin:')) return 'from the model that is shipped with byteify';
  return `from the same files at ${code(source.model)} (${PROVENANCE_NAME} has their digests)`;
}
