import { describe, expect, it } from 'vitest';
import { nextSteps, programName } from '../../src/commands/next-steps.js';

describe('the program’s name', () => {
  it('is byteify if it is installed', () => {
    expect(programName('/usr/lib/node_modules/.bin/byteify', '/home')).toBe('byteify');
    expect(programName(undefined, '/home')).toBe('byteify');
  });

  it('is a script of Node in a checkout', () => {
    expect(programName('/src/byteify/dist/cli.js', '/src/byteify')).toBe('node dist/cli.js');
    expect(programName('/src/byteify/dist/cli.js', '/src/other')).toBe('node ../byteify/dist/cli.js');
    expect(programName('/my src/dist/cli.js', '/')).toBe("node 'my src/dist/cli.js'");
  });
});

describe('next steps', () => {
  it('are commands for the new model, and one to convert another', () => {
    const text = nextSteps('byteify-demo', 'byteify');
    expect(text).toContain(' byteify generate byteify-demo --prompt "The "\n');
    expect(text).toContain(' byteify serve byteify-demo\n');
    expect(text).toContain(' | byteify patch byteify-demo\n');
    expect(text).toContain(' byteify convert ');
  });

  it('can be copied whatever the folder’s name', () => {
    expect(nextSteps("it's here", 'byteify')).toContain("serve 'it'\\''s here'");
  });
});
