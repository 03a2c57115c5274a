// The text of bench:smollm2, from Debian packages: prose (a handbook, and the paragraphs of Perl's manual) and technical text (the kernel's
// documentation, including code and tables). Some text of both kinds is reserved for evaluation. apt downloads the packages without root;
// the text is stored as one file per document and reused.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { convert } from 'html-to-text';

const files = (folder, ending) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => join(folder, name));

const html = (path) =>
  convert(readFileSync(path, 'utf8'), {
    wordwrap: false,
    selectors: [
      { selector: 'a', options: { ignoreHref: true } },
      { selector: 'img', format: 'skip' },
      { selector: 'pre', format: 'skip' },
      ...['h1', 'h2', 'h3', 'h4'].map((selector) => ({ selector, options: { uppercase: false } })),
    ],
  });

/** The paragraphs of a POD file, without commands, indented code and formatting codes. */
const pod = (path) =>
  readFileSync(path, 'latin1')
    .split(/\n{2,}/)
    .filter((paragraph) => /^[^\s=]/.test(paragraph))
    .map((paragraph) => paragraph.replaceAll(/[BCFILSX]<([^<>]*)>/g, '$1'))
    .join('\n\n');

/** The kernel's documentation in some folders. `share` is the unpacked `usr/share` of the packages. */
const kernel = (share, folders) =>
  folders
    .flatMap((name) => files(join(share, 'doc/linux-doc-6.1/Documentation', name), '.rst.gz'))
    .map((path) => gunzipSync(readFileSync(path)).toString('utf8'));

/** The packages of each corpus, and their texts by kind. */
const CORPORA = {
  corpus: {
    packages: ['debian-handbook', 'linux-doc-6.1', 'perl-doc'],
    kinds: {
      prose: (share) => [
        ...files(join(share, 'doc/debian-handbook/html/en-US'), '.html').map(html),
        ...files(join(share, 'perl'), '.pod').map(pod),
      ],
      technical: (share) =>
        kernel(share, ['admin-guide', 'core-api', 'dev-tools', 'driver-api', 'filesystems', 'networking', 'process']),
    },
  },
  unseen: {
    packages: ['developers-reference', 'linux-doc-6.1'],
    kinds: {
      prose: (share) => files(join(share, 'developers-reference'), '.html').map(html),
      technical: (share) => kernel(share, ['locking', 'scheduler', 'security']),
    },
  },
};

/** Shorter documents are tables of contents. */
const MIN_CHARACTERS = 500;

function createCorpus(draft, { packages, kinds }) {
  const [downloads, root] = ['packages', 'root'].map((name) => join(draft, name));
  mkdirSync(downloads, { recursive: true });
  execFileSync('apt-get', ['download', ...packages], { cwd: downloads, stdio: ['ignore', 'ignore', 'inherit'] });
  const digests = readdirSync(downloads).map((name) => {
    execFileSync('dpkg-deb', ['-x', join(downloads, name), root]);
    return {
      name,
      sha256: createHash('sha256')
        .update(readFileSync(join(downloads, name)))
        .digest('hex'),
    };
  });
  for (const [kind, textsOf] of Object.entries(kinds)) {
    mkdirSync(join(draft, kind));
    textsOf(join(root, 'usr/share')).forEach((text, i) => {
      if (text.length > MIN_CHARACTERS) writeFileSync(join(draft, kind, `${String(i).padStart(4, '0')}.txt`), text);
    });
  }
  for (const folder of [downloads, root]) rmSync(folder, { recursive: true });
  writeFileSync(join(draft, 'packages.json'), JSON.stringify(digests));
}

/** Creates a corpus in `work` unless it exists. @returns a folder for each kind of text, and the sha256 of each package */
export function openCorpus(work, name) {
  const out = join(work, name);
  if (!existsSync(out)) {
    const draft = `${out}.part`;
    rmSync(draft, { recursive: true, force: true });
    createCorpus(draft, CORPORA[name]);
    renameSync(draft, out);
  }
  return {
    folders: Object.keys(CORPORA[name].kinds).map((kind) => join(out, kind)),
    packages: JSON.parse(readFileSync(join(out, 'packages.json'), 'utf8')),
  };
}
