/**
 * @module What each kind of stage runs of the BLT, what it trains, and what it needs from the source: one table, from which the training
 * objectives, FLOPs and memory follow.
 */
import type { Lora } from './adapters.js';
import type { Part } from './tensors.js';

/** How a section takes part in a stage. A frozen section passes gradients through but computes none for its weights. */
export type Involvement = 'trained' | 'frozen' | 'forward-only' | 'absent';

/**
 * The model's sections in the order of the forward pass. They are the format's parts, except that the encoder's path from bytes to patches
 * (pooled projection, cross-attention, projection to the global width) is separate from its blocks, which run alone if patches come from
 * the source.
 */
export const SECTIONS = ['hash', 'encoder', 'pooling', 'global', 'decoder', 'head'] as const;
export type Section = (typeof SECTIONS)[number];

/** The properties of a stage that its cost depends on; a recipe's stage has them. `patcher` is the patcher's own training. */
export type StageShape =
  | { readonly kind: 'patcher' | 'closed-form' }
  | { readonly kind: 'align-encoder'; readonly frozen: readonly Part[] }
  | {
      readonly kind: 'distill-decoder';
      readonly frozen: readonly Part[];
      readonly losses: { readonly prefix_kl: number; readonly chunk: number; readonly embedding: number };
    }
  | { readonly kind: 'join'; readonly frozen: readonly Part[]; readonly losses: { readonly prefix_kl: number } }
  | {
      readonly kind: 'end-to-end';
      readonly frozen: readonly Part[];
      readonly lora?: Lora | undefined;
      readonly losses: { readonly prefix_kl: number };
    };

/** What a stage needs from the source. The source's blocks are those of the latent global transformer before any training (source-layers.ts). */
export interface SourceRuns {
  /** Which token each patch corresponds to, so that the encoder can be trained towards its embedding. */
  readonly tokens: boolean;
  /** Token embeddings, looked up. */
  readonly embeddings: boolean;
  /** The last hidden states: one forward pass of the source's blocks. */
  readonly states: boolean;
  /** The distribution of the next token: the source's head. */
  readonly distribution: boolean;
}

export interface StageRuns {
  readonly model: Readonly<Record<Section | 'patcher', Involvement>>;
  readonly source: SourceRuns;
}

const NOTHING: SourceRuns = { tokens: false, embeddings: false, states: false, distribution: false };
const EVERYTHING: SourceRuns = { tokens: true, embeddings: true, states: true, distribution: true };

/** A stage through the whole model needs the source only for its distribution. */
const distributionFor = ({ losses }: { readonly losses: { readonly prefix_kl: number } }): SourceRuns =>
  losses.prefix_kl > 0 ? { ...EVERYTHING, tokens: false } : NOTHING;

interface StageKind<Stage extends StageShape> {
  /** The sections of the model that run besides the patcher. */
  readonly sections: readonly Section[];
  /** Parts that this kind always freezes, in addition to those that the stage freezes. */
  readonly alwaysFrozen: (stage: Stage) => readonly Part[];
  readonly needs: (stage: Stage) => SourceRuns;
}

type OfKind<Kind extends StageShape['kind']> = Extract<StageShape, { readonly kind: Kind }>;

const KINDS: { readonly [Kind in StageShape['kind']]: StageKind<OfKind<Kind>> } = {
  patcher: { sections: [], alwaysFrozen: () => [], needs: () => NOTHING },
  'closed-form': {
    sections: ['hash', 'encoder', 'pooling'],
    alwaysFrozen: () => ['encoder', 'hash', 'global', 'decoder', 'head'],
    needs: () => EVERYTHING,
  },
  'align-encoder': {
    sections: ['hash', 'encoder', 'pooling'],
    alwaysFrozen: () => [],
    needs: () => ({ ...NOTHING, tokens: true, embeddings: true }),
  },
  'distill-decoder': {
    sections: ['hash', 'encoder', 'pooling', 'decoder', 'head'],
    alwaysFrozen: () => [],
    needs: (stage) => ({
      tokens: teachesEncoder(stage),
      embeddings: true,
      states: true,
      distribution: stage.losses.prefix_kl > 0 || stage.losses.chunk > 0,
    }),
  },
  join: {
    sections: SECTIONS,
    alwaysFrozen: () => ['global'],
    needs: distributionFor,
  },
  'end-to-end': {
    sections: SECTIONS,
    alwaysFrozen: ({ lora }) => (lora === undefined ? [] : ['global']),
    needs: distributionFor,
  },
};

const kindOf = <Stage extends StageShape>({ kind }: Stage) => KINDS[kind] as unknown as StageKind<Stage>;

/** On the source's states the encoder makes patches only for the embedding loss, which cannot train a frozen encoder. */
function teachesEncoder({ frozen, losses }: OfKind<'distill-decoder'>): boolean {
  return losses.embedding > 0 && !(frozen.includes('encoder') && frozen.includes('hash'));
}

/**
 * How each section takes part in a stage, and what the stage needs from the source. The patcher segments the text of every stage but its
 * own.
 */
export function stageRuns(stage: StageShape): StageRuns {
  const { sections: all, alwaysFrozen, needs } = kindOf(stage);
  const frozen: readonly Part[] = [...('frozen' in stage ? stage.frozen : []), ...alwaysFrozen(stage)];
  const trains = (section: Section) => !frozen.includes(section === 'pooling' ? 'encoder' : section);
  const makesPatches = stage.kind !== 'distill-decoder' || teachesEncoder(stage);
  const sections = all.filter((section) => section !== 'pooling' || makesPatches);
  // Adapters are trained, so gradients reach them even if the weights beside them are frozen.
  const adapted = stage.kind === 'end-to-end' && stage.lora !== undefined;
  const first = sections.find((section) => trains(section) || (adapted && section === 'global'));
  const involvement = (section: Section): Involvement => {
    if (!sections.includes(section)) return 'absent';
    if (trains(section)) return 'trained';
    return first !== undefined && sections.indexOf(section) >= sections.indexOf(first) ? 'frozen' : 'forward-only';
  };
  const ofSections = Object.fromEntries(SECTIONS.map((section) => [section, involvement(section)]));
  return {
    model: {
      patcher: stage.kind === 'patcher' ? 'trained' : 'forward-only',
      ...(ofSections as Record<Section, Involvement>),
    },
    source: needs(stage),
  };
}

const PARTS = ['encoder', 'hash', 'global', 'decoder', 'head', 'patcher'] as const satisfies readonly Part[];

/** The parts whose weights a stage trains. */
export function trainedParts({ model }: StageRuns): Part[] {
  return PARTS.filter((part) => model[part] === 'trained');
}

/** The parts whose weights a stage reads. The source's states may be computed by the latent global transformer's layers, and evaluations run the whole model. */
export function readParts({ model, source }: StageRuns): Part[] {
  return PARTS.filter((part) => model[part] !== 'absent' || (part === 'global' && source.states));
}
