/** What is added to the score of a key that a query may not see: after the softmax its weight is 0, and no infinity meets another. */
export const HIDDEN = -1e9;
