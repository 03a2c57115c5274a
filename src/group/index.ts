/** @module Processes that work on one conversion together. */
export { type Environment, type Launch, launchFromEnvironment } from './launch-environment.js';
export type { Limits, Member } from './messages.js';
export { type Channel, joinGroup, type ProcessGroup } from './process-group.js';
export { rejectionOf } from './rejection-of.js';
export { gatherValues, shareFromLeader } from './share.js';
