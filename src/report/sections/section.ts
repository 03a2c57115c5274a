/** @module A part of the report's page, with its own heading. */
import type { Html } from '../html.js';

export interface Section {
  /** The anchor. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}
