// The text of bench:smollm2 from pinned Debian packages: prose (a handbook, and the paragraphs of Perl's manual) and technical text (the
// kernel's documentation, including code and tables). Some text of both kinds is reserved for evaluation. apt downloads the packages without
// root; the text is stored as one file per document and reused. Published numbers were measured on exactly these texts.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { bytesOf } from '../corpus/decode.mjs';
import { fetchPackage } from '../corpus/fetch-package.mjs';
import { filesEnding } from '../corpus/list-files.mjs';
import { pinOf, readPins } from '../corpus/pins.mjs';
import { htmlParagraphs } from '../corpus/readers/html.mjs';
import { podParagraphs } from '../corpus/readers/pod.mjs';
import { unpack } from '../corpus/unpack.mjs';

const html = (path) => htmlParagraphs(readFileSync(path, 'utf8'));
const pod = (path) => podParagraphs(readFileSync(path, 'latin1'));

/** The kernel's documentation in some folders. `share` is the unpacked `usr/share` of the packages. */
const kernel = (share, folders) =>
  folders
    .flatMap((name) => filesEnding(join(share, 'doc/linux-doc-6.1/Documentation', name), '.rst.gz'))
    .map((path) => bytesOf(path).toString('utf8'));

/** The packages of each corpus, and their texts by kind. */
const CORPORA = {
  corpus: {
    packages: ['debian-handbook', 'linux-doc-6.1', 'perl-doc'],
    kinds: {
      prose: (share) => [
        ...filesEnding(join(share, 'doc/debian-handbook/html/en-US'), '.html').map(html),
        ...filesEnding(join(share, 'perl'), '.pod').map(pod),
      ],
      technical: (share) =>
        kernel(share, ['admin-guide', 'core-api', 'dev-tools', 'driver-api', 'filesystems', 'networking', 'process']),
    },
  },
  unseen: {
    packages: ['developers-reference', 'linux-doc-6.1'],
    kinds: {
      prose: (share) => filesEnding(join(share, 'developers-reference'), '.html').map(html),
      technical: (share) => kernel(share, ['locking', 'scheduler', 'security']),
    },
  },
};

/** Shorter documents are tables of contents. */
const MIN_CHARACTERS = 500;

function createCorpus(draft, { packages, kinds }) {
  const [downloads, root] = ['packages', 'root'].map((name) => join(draft, name));
  mkdirSync(downloads, { recursive: true });
  const pins = readPins();
  const digests = packages.map((name) => {
    const pin = pinOf(pins, { name });
    const file = fetchPackage({ name, registry: 'deb' }, pin, downloads);
    unpack(file, root);
    return { name: basename(file), sha256: pin.sha256 };
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
