/** @module The suites, by name, in the order of the help text. */
import { bias } from './bias.js';
import { bpb } from './bpb.js';
import { choice } from './choice.js';
import { cost } from './cost.js';
import { cute } from './cute.js';
import { g2p } from './g2p.js';
import { noise } from './noise.js';
import { patches } from './patches.js';
import type { DirectSuite, Suite } from './suite.js';
import { translate } from './translate.js';

export const SUITES: readonly (Suite | DirectSuite)[] = [bpb, noise, cute, g2p, choice, translate, bias, patches, cost];
