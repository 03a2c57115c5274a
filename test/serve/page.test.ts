import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readPage } from '../../src/serve/index.js';

describe('the demo page', () => {
  it('loads nothing from elsewhere, and its policy allows its own script and style by their digests', async () => {
    const { html, policy } = await readPage();
    expect(html).not.toMatch(/https?:\/\//);
    expect(html).not.toMatch(/\s(on\w+|style)=/);
    for (const element of ['script', 'style']) {
      const [, content] = new RegExp(`<${element}>([^]*)</${element}>`).exec(html)!;
      const digest = createHash('sha256').update(content!).digest('base64');
      expect(policy).toContain(`${element}-src 'sha256-${digest}';`);
    }
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe');
  });
});
