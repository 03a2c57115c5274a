// @ts-check
/**
 * @module The process that renders chat templates; render-template.ts starts it. It is JavaScript so that it can be started both from the
 * sources and from the compiled code. It is a process and not a thread, because V8 ends the whole process when a thread allocates too much at
 * once.
 */
import { Script } from 'node:vm';
import { Template } from '@huggingface/jinja';

/** @typedef {import('./render-protocol.js').RenderRequest} RenderRequest */
/** @typedef {import('./render-protocol.js').RenderAnswer} RenderAnswer */

/** @type {{ source: string, template: Template } | null} */
let parsed = null;

/** @type {() => void} */
let work = () => undefined;
Reflect.set(globalThis, 'byteifyRender', () => work());
const script = new Script('byteifyRender()');

/** @param {RenderRequest} request @returns {RenderAnswer} */
function render({ template, context, timeoutMs, maximumCharacters }) {
  let text = '';
  work = () => {
    if (parsed?.source !== template) parsed = { source: template, template: new Template(template) };
    text = parsed.template.render(context);
  };
  try {
    script.runInThisContext({ timeout: timeoutMs });
  } catch (error) {
    const { code, message } = /** @type {{ code?: unknown, message?: unknown }} */ (error ?? {});
    return code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? { exceeded: 'time' } : { refused: String(message ?? error) };
  }
  return text.length > maximumCharacters ? { exceeded: 'characters' } : { text };
}

process.on('message', (request) => {
  process.send?.(render(/** @type {RenderRequest} */ (request)));
});
// Ctrl-C on a terminal reaches every process of the command; the parent decides when this one ends.
process.on('SIGINT', () => undefined);
