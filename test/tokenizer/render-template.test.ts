import { afterEach, describe, expect, it } from 'vitest';
import { ByteifyError, UsageError } from '../../src/errors.js';
import { createTemplateRenderer, type TemplateRenderer } from '../../src/tokenizer/render-template.js';

const PATH = 'my-model/chat_template.jinja';
const LIMITS = { timeoutMs: 1500, memoryMb: 64, maximumCharacters: 100_000 };
const opened: TemplateRenderer[] = [];
afterEach(() => {
  for (const renderer of opened.splice(0)) renderer.close();
});

function rendererOf(template: string): TemplateRenderer {
  const renderer = createTemplateRenderer({ template, path: PATH }, LIMITS);
  opened.push(renderer);
  return renderer;
}

const grown = (steps: number) =>
  `{% set ns = namespace(s='x') %}{% for i in range(${steps}) %}{% set ns.s = ns.s | replace('x', 'xxxxxxxxxx') %}{% endfor %}`;

describe('a template that exhausts resources', () => {
  it.each([
    ['a range of a billion', '{% for i in range(1000000000) %}{% endfor %}', /within|memory/],
    [
      'loops in loops',
      '{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}',
      /finish within 1.5 s/,
    ],
    ['a text that grows', `${grown(9)}{{ ns.s | list | length }}`, /within|memory/],
    [
      'a list that doubles',
      '{% set ns = namespace(s=[1]) %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor %}',
      /within|memory/,
    ],
    ['a long output', `${grown(6)}{{ ns.s }}`, /wrote more than 100000 characters/],
  ])('(%s) is stopped, and its file named', async (_, template, reason) => {
    const thrown = await rendererOf(template)
      .render({})
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ByteifyError);
    expect(thrown).not.toBeInstanceOf(UsageError);
    const { message, hint } = thrown as ByteifyError;
    expect(message).toMatch(/^The chat template in my-model\/chat_template\.jinja [^.]+(1\.5)?[^.]*\.$/);
    expect(message).toMatch(reason);
    expect(hint).toMatch(/Remove or replace/);
  });

  it('does not affect the next conversation', async () => {
    const renderer = rendererOf('{% for i in range(n) %}{% if i % 1000 == 0 %}.{% endif %}{% endfor %}');
    expect(await renderer.render({ n: 2001 })).toBe('...');
    await expect(renderer.render({ n: 1_000_000_000 })).rejects.toThrow(/within|memory/);
    const both = await Promise.all([renderer.render({ n: 1 }), renderer.render({ n: 1001 })]);
    expect(both).toEqual(['.', '..']);
  });
});

describe('a renderer', () => {
  it('keeps its process for later conversations', async () => {
    const renderer = rendererOf('{{ text }}');
    const timed = async (text: string) => {
      const began = performance.now();
      expect(await renderer.render({ text })).toBe(text);
      return performance.now() - began;
    };
    const first = await timed('');
    const later: number[] = [];
    for (let i = 0; i < 50; i++) later.push(await timed(`${i} \ud800 é`));
    expect(later.sort((a, b) => a - b)[25]).toBeLessThan(first / 4);
  });

  it('starts another process after it was closed', async () => {
    const renderer = rendererOf('{{ text }}');
    expect(await renderer.render({ text: 'a' })).toBe('a');
    renderer.close();
    expect(await renderer.render({ text: 'b' })).toBe('b');
  });

  it('reports a refusal of the template as the user’s error', async () => {
    await expect(rendererOf("{{ raise_exception('No robots') }}").render({})).rejects.toThrow(UsageError);
    await expect(rendererOf('{% if %}').render({})).rejects.toThrow(UsageError);
  });
});
