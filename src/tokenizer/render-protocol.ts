/** @module The messages between render-template.ts and the process that it starts, template-process.js. Types only. */

export interface RenderRequest {
  readonly template: string;
  /** The template's variables. */
  readonly context: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  readonly maximumCharacters: number;
}

export type RenderAnswer =
  | { readonly text: string }
  | { readonly refused: string }
  | { readonly exceeded: 'time' | 'characters' };
