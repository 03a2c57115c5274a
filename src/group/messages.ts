/** @module The messages between the processes of a group and the service that rank 0 keeps. */

/** Where a process runs. */
export interface Member {
  readonly rank: number;
  readonly host: string;
  readonly pid: number;
}

/** Bodies that every process contributes, and of which every process receives all. */
export interface Turn {
  /** What is exchanged. */
  readonly channel: string;
  /** Counts the exchanges of a channel from 0. */
  readonly turn: number;
}

/** From a process to the service. */
export type Request =
  | (Member & { readonly type: 'join'; readonly size: number; readonly version: string })
  | { readonly type: 'alive' }
  /** `patient`: however long the others take. */
  | (Turn & { readonly type: 'gather'; readonly patient: boolean })
  /** Someone asked this process to stop. */
  | { readonly type: 'stop' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'leave' };

/** From the service to a process. */
export type Answer =
  | { readonly type: 'joined'; readonly members: readonly Member[] }
  | { readonly type: 'refused'; readonly message: string; readonly hint: string }
  | { readonly type: 'alive' }
  /** The body has one part after the other, by rank. */
  | (Turn & { readonly type: 'gathered'; readonly lengths: readonly number[] })
  | { readonly type: 'stop' }
  /** The group has ended, and why. */
  | { readonly type: 'lost'; readonly message: string };

/** Of a group, in seconds. */
export interface Limits {
  /** How long a process may be silent. A process sends signs of life from a thread of its own, whatever it computes. */
  readonly silence: number;
  /** How long the processes wait for each other at the start. */
  readonly join: number;
  /** How long processes wait for one that is alive and does not reach the step that they are at. */
  readonly step: number;
}

/** Signs of life in the time after which a process counts as lost. */
export const SIGNS_OF_LIFE = 8;
