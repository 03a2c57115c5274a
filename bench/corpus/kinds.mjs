// The kinds of text, in the order of reports.

export const KINDS = /** @type {const} */ (['prose', 'technical', 'code']);
