/** @module What tells `/v1/completions` and `/v1/chat/completions` apart: how a body becomes a prompt, and what text is wrapped in. */
import type { ChatPrompts } from '../generate/index.js';
import type { Limits } from './limits.js';
import type { TextRequest } from './request-fields.js';

/** What requests are read with. */
export interface RequestContext {
  readonly limits: Limits;
  /** Texts that are written at the same time: a request asks for no more of them. */
  readonly lanes: number;
  /** Null where the model has no template. */
  readonly chat: ChatPrompts | null;
}

export interface ParsedRequest {
  readonly text: TextRequest;
  /** As the client names the model; null where it does not. */
  readonly model: string | null;
}

export interface Dialect {
  readonly path: string;
  readonly idPrefix: string;
  /** `object` of an answer, and of a piece of a streamed one. */
  readonly wholeObject: string;
  readonly chunkObject: string;
  /**
   * Every number of a body is bounded here, before anything is allocated by it.
   * @throws ApiError for a body that is not right.
   */
  parse(body: unknown, context: RequestContext): Promise<ParsedRequest>;
  /** What a text is wrapped in: all of it, */
  whole(text: string): object;
  /** a piece, */
  piece(text: string): object;
  /** or what comes before the first piece, where something does. */
  readonly opening: object | null;
}
