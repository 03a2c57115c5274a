// The text of bench:smollm2, from Debian packages: prose (a handbook, and the paragraphs of Perl's manual) and technical text (the kernel's
// documentation, its code and tables left in); and of both kinds some that no training sees. One file a document. Fetched by apt without root, and kept.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { convert } from 'html-to-text';

const files = (folder, ending) =>
  readdirSync(folder, { recursive: true })
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

/** The paragraphs of a POD file, without its commands, its indented code, and the letters around what is set apart. */
const pod = (path) =>
  readFileSync(path, 'latin1')
    .split(/\n{2,}/)
    .filter((paragraph) => /^[^\s=]/.test(paragraph))
    .map((paragraph) => paragraph.replaceAll(/[BCFILSX]<([^<>]*)>/g, '$1'))
    .join('\n\n');

/** @param share where the packages' `usr/share` was unpacked. @param folders of the kernel's documentation. */
const kernel = (share, folders) =>
  folders
    .flatMap((name) => files(join(share, 'doc/linux-doc-6.1/Documentation', name), '.rst.gz'))
    .map((path) => gunzipSync(readFileSync(path)).toString('utf8'));

/** Texts by kind, and the packages they are in. */
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

/** Shorter ones are tables of contents. */
const LEAST_CHARACTERS = 500;

function make(draft, { packages, kinds }) {
  const [fetched, root] = ['packages', 'root'].map((name) => join(draft, name));
  mkdirSync(fetched, { recursive: true });
  execFileSync('apt-get', ['download', ...packages], { cwd: fetched, stdio: ['ignore', 'ignore', 'inherit'] });
  const made = readdirSync(fetched).map((name) => {
    execFileSync('dpkg-deb', ['-x', join(fetched, name), root]);
    return {
      name,
      sha256: createHash('sha256')
        .update(readFileSync(join(fetched, name)))
        .digest('hex'),
    };
  });
  for (const [kind, textsOf] of Object.entries(kinds)) {
    mkdirSync(join(draft, kind));
    textsOf(join(root, 'usr/share')).forEach((text, i) => {
      if (text.length > LEAST_CHARACTERS) writeFileSync(join(draft, kind, `${String(i).padStart(4, '0')}.txt`), text);
    });
  }
  for (const folder of [fetched, root]) rmSync(folder, { recursive: true });
  writeFileSync(join(draft, 'packages.json'), JSON.stringify(made));
}

/** @returns the folders of a corpus's kinds of text under `work`, and the sha256 of each package they come from */
export function openCorpus(work, name) {
  const out = join(work, name);
  if (!existsSync(out)) {
    const draft = `${out}.part`;
    rmSync(draft, { recursive: true, force: true });
    make(draft, CORPORA[name]);
    renameSync(draft, out);
  }
  return {
    folders: Object.keys(CORPORA[name].kinds).map((kind) => join(out, kind)),
    packages: JSON.parse(readFileSync(join(out, 'packages.json'), 'utf8')),
  };
}
