/**
 * @module What each kind of stage runs of the BLT, what it trains, and what it asks of the source: one table, from which the training objectives,
 * FLOPs and memory follow.
 */
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
  /** Which token each patch is, for the encoder to meet its embedding. */
  readonly tokens: boolean;
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

const NOTHING: SourceRuns = { tokens: false, embeddings: false, states: false, distribution: false };
const EVERYTHING: SourceRuns = { tokens: true, embeddings: true, states: true, distribution: true };

interface StageKind<Stage extends StageShape> {
  /** What runs of the model beside the patcher. */
  readonly sections: readonly Section[];
  /** Parts that stay as they are, beside those that the stage says are frozen. */
  readonly held: (stage: Stage) => readonly Part[];
  readonly asks: (stage: Stage) => SourceRuns;
}

type OfKind<Kind extends StageShape['kind']> = Extract<StageShape, { readonly kind: Kind }>;

const KINDS: { readonly [Kind in StageShape['kind']]: StageKind<OfKind<Kind>> } = {
  patcher: { sections: [], held: () => [], asks: () => NOTHING },
  'closed-form': {
    sections: ['hash', 'encoder', 'pooling', 'decoder'],
    held: () => ['encoder', 'hash', 'global', 'decoder', 'head'],
    asks: () => EVERYTHING,
  },
  'align-encoder': {
    sections: ['hash', 'encoder', 'pooling'],
    held: () => [],
    asks: () => ({ ...NOTHING, tokens: true, embeddings: true }),
  },
  'distill-decoder': {
    sections: ['hash', 'encoder', 'pooling', 'decoder', 'head'],
    held: () => [],
    asks: (stage) => ({
      tokens: teachesEncoder(stage),
      embeddings: true,
      states: true,
      distribution: stage.losses.prefix_kl > 0 || stage.losses.chunk > 0,
    }),
  },
  join: {
    sections: SECTIONS,
    held: () => ['global'],
    asks: ({ losses }) => (losses.prefix_kl > 0 ? { ...EVERYTHING, tokens: false } : NOTHING),
  },
  'end-to-end': {
    sections: SECTIONS,
    held: ({ lora }) => (lora === undefined ? [] : ['global']),
    asks: () => NOTHING,
  },
};

const kindOf = <Stage extends StageShape>({ kind }: Stage) => KINDS[kind] as unknown as StageKind<Stage>;

/** On the source's states the encoder makes patches only for the embedding loss, which has nothing to teach a frozen one. */
function teachesEncoder({ frozen, losses }: OfKind<'distill-decoder'>): boolean {
  return losses.embedding > 0 && !(frozen.includes('encoder') && frozen.includes('hash'));
}

/** The patcher cuts the text of every stage but its own. */
export function stageRuns(stage: StageShape): StageRuns {
  const { sections: all, held, asks } = kindOf(stage);
  const frozen: readonly Part[] = [...('frozen' in stage ? stage.frozen : []), ...held(stage)];
  const moves = (section: Section) => !frozen.includes(section === 'pooling' ? 'encoder' : section);
  const makesPatches = stage.kind !== 'distill-decoder' || teachesEncoder(stage);
  const sections = all.filter((section) => section !== 'pooling' || makesPatches);
  // Adapters are trained, so gradients reach them, whatever becomes of the weights beside them.
  const adapted = stage.kind === 'end-to-end' && stage.lora !== undefined;
  const first = sections.find((section) => moves(section) || (adapted && section === 'global'));
  const involvement = (section: Section): Involvement => {
    if (!sections.includes(section)) return 'absent';
    if (moves(section)) return 'trained';
    return first !== undefined && sections.indexOf(section) >= sections.indexOf(first) ? 'frozen' : 'forward-only';
  };
  const ofSections = Object.fromEntries(SECTIONS.map((section) => [section, involvement(section)]));
  return {
    model: {
      patcher: stage.kind === 'patcher' ? 'trained' : 'forward-only',
      ...(ofSections as Record<Section, Involvement>),
    },
    source: asks(stage),
  };
}

const PARTS = ['encoder', 'hash', 'global', 'decoder', 'head', 'patcher'] as const satisfies readonly Part[];

/** The parts whose weights a stage moves. */
export function movedParts({ model }: StageRuns): Part[] {
  return PARTS.filter((part) => model[part] === 'trained');
}

/** The parts whose weights a stage reads. The source's states are computed by the latent global transformer's layers. */
export function readParts({ model, source }: StageRuns): Part[] {
  return PARTS.filter((part) => model[part] !== 'absent' || (part === 'global' && source.states));
}
