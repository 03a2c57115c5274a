/** @module The differences between `/v1/completions` and `/v1/chat/completions`: how a body becomes a prompt, and how text is wrapped. */
import type { ChatPrompts } from '../generate/index.js';
import type { Limits } from './limits.js';
import type { LogprobsFormat } from './logprobs-format.js';
import type { TextRequest } from './request-fields.js';

/** The context in which a request is parsed. */
export interface RequestContext {
  readonly limits: Limits;
  /** The number of texts that are generated at the same time, and so the most that one request may ask for. */
  readonly slots: number;
  /** Null if the model has no chat template. */
  readonly chat: ChatPrompts | null;
}

export interface ParsedRequest {
  readonly text: TextRequest;
  /** The model that the client names; null if it names none. */
  readonly model: string | null;
}

export interface Endpoint {
  readonly path: string;
  readonly idPrefix: string;
  /** The value of `object` in a whole response, and in a chunk of a stream. */
  readonly wholeObject: string;
  readonly chunkObject: string;
  /**
   * Parses a request body. Every number in it is bounded here, before anything is allocated from it.
   * @throws ApiError for an invalid body.
   */
  parse(body: unknown, context: RequestContext): Promise<ParsedRequest>;
  /** Wraps a complete text. */
  whole(text: string): object;
  /** Wraps a delta of a streamed text. */
  delta(text: string): object;
  /** The fields of a chunk before the first delta; null for none. */
  readonly opening: object | null;
  /** Formats the log-probabilities of one text, part by part. */
  logprobs(): LogprobsFormat;
}
