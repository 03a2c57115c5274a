/** @module What each kind of stage runs of the BLT and of the source, and how far back its gradients go: what FLOPs and memory follow from. */
import type { Lora } from './adapters.js';
import type { Part } from './tensors.js';

/** How something takes part in a stage. A frozen section passes gradients on and makes none for its weights. */
export type Involvement = 'trained' | 'frozen' | 'forward-only' | 'absent';

/**
 * The model in the order of the forward pass: the format's parts, with the encoder's way from bytes to patches (pooled projection,
 * cross-attention, projection to the global width) apart from its blocks, which run without it where patches come from the source.
 */
export const SECTIONS = ['hash', 'encoder', 'pooling', 'global', 'decoder', 'head'] as const;
export type Section = (typeof SECTIONS)[number];

/** A stage as far as its cost depends on it; a recipe's stage is one. `patcher` is the patcher's own training. */
export type StageShape =
  | { readonly kind: 'patcher' | 'closed-form' }
  | { readonly kind: 'align-encoder'; readonly frozen: readonly Part[] }
  | {
      readonly kind: 'distill-decoder';
      readonly frozen: readonly Part[];
      readonly losses: { readonly prefix_kl: number; readonly chunk: number; readonly embedding: number };
    }
  | { readonly kind: 'join'; readonly frozen: readonly Part[]; readonly losses: { readonly prefix_kl: number } }
  | { readonly kind: 'end-to-end'; readonly frozen: readonly Part[]; readonly lora?: Lora | undefined };

/** What is asked of the source. Its blocks are the latent global transformer's, as they were. */
export interface SourceRuns {
  /** Token embeddings, looked up. */
  readonly embeddings: boolean;
  /** Its last hidden states: one forward pass of its blocks. */
  readonly states: boolean;
  /** The next token's distribution: its head. */
  readonly distribution: boolean;
}

export interface StageRuns {
  readonly model: Readonly<Record<Section | 'patcher', Involvement>>;
  readonly source: SourceRuns;
}

const SECTIONS_OF: Readonly<Record<StageShape['kind'], readonly Section[]>> = {
  patcher: [],
  'closed-form': ['hash', 'encoder', 'pooling', 'decoder'],
  'align-encoder': ['hash', 'encoder', 'pooling'],
  'distill-decoder': ['hash', 'encoder', 'pooling', 'decoder', 'head'],
  join: SECTIONS,
  'end-to-end': SECTIONS,
};

const NOTHING: SourceRuns = { embeddings: false, states: false, distribution: false };
const EVERYTHING: SourceRuns = { embeddings: true, states: true, distribution: true };

/** The patcher cuts the text of every stage but its own. */
export function stageRuns(stage: StageShape): StageRuns {
  const moves = (section: Section) => !heldParts(stage).includes(section === 'pooling' ? 'encoder' : section);
  const sections = SECTIONS_OF[stage.kind].filter((section) => section !== 'pooling' || needsPooling(stage, moves));
  // Adapters are trained, so gradients reach them, whatever becomes of the weights beside them.
  const adapted = stage.kind === 'end-to-end' && stage.lora !== undefined;
  const first = sections.find((section) => moves(section) || (adapted && section === 'global'));
  const involvement = (section: Section): Involvement => {
    if (!sections.includes(section)) return 'absent';
    if (moves(section)) return 'trained';
    return first !== undefined && sections.indexOf(section) >= sections.indexOf(first) ? 'frozen' : 'forward-only';
  };
  return {
    model: {
      patcher: stage.kind === 'patcher' ? 'trained' : 'forward-only',
      ...(Object.fromEntries(SECTIONS.map((section) => [section, involvement(section)])) as Record<
        Section,
        Involvement
      >),
    },
    source: sourceRuns(stage),
  };
}

/** The parts whose weights a stage moves. */
export function movedParts({ model }: StageRuns): Part[] {
  const parts = ['encoder', 'hash', 'global', 'decoder', 'head', 'patcher'] as const satisfies readonly Part[];
  return parts.filter((part) => model[part] === 'trained');
}

function heldParts(stage: StageShape): readonly Part[] {
  switch (stage.kind) {
    case 'patcher':
    case 'closed-form':
      return ['encoder', 'hash', 'global', 'decoder', 'head'];
    case 'join':
      return [...stage.frozen, 'global'];
    case 'end-to-end':
      return stage.lora === undefined ? stage.frozen : [...stage.frozen, 'global'];
    default:
      return stage.frozen;
  }
}

/** On the source's states the encoder makes patches only for the embedding loss, which has nothing to teach a frozen one. */
function needsPooling(stage: StageShape, moves: (section: Section) => boolean): boolean {
  return stage.kind !== 'distill-decoder' || (stage.losses.embedding > 0 && (moves('encoder') || moves('hash')));
}

function sourceRuns(stage: StageShape): SourceRuns {
  switch (stage.kind) {
    case 'closed-form':
      return EVERYTHING;
    case 'align-encoder':
      return { ...NOTHING, embeddings: true };
    case 'distill-decoder':
      return { ...EVERYTHING, distribution: stage.losses.prefix_kl > 0 || stage.losses.chunk > 0 };
    case 'join':
      return stage.losses.prefix_kl > 0 ? EVERYTHING : NOTHING;
    default:
      return NOTHING;
  }
}
