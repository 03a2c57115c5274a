// The text of bench:smollm2, from three Debian packages: prose (a handbook, and the paragraphs of Perl's manual) and technical text (the kernel's
// documentation, its code and tables left in). One file a document. Fetched by apt without root, and kept.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { convert } from 'html-to-text';

const PACKAGES = ['debian-handbook', 'linux-doc-6.1', 'perl-doc'];
const KERNEL = ['admin-guide', 'core-api', 'dev-tools', 'driver-api', 'filesystems', 'networking', 'process'];

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

const rst = (path) => gunzipSync(readFileSync(path)).toString('utf8');

/** @returns the folders of the kinds of text under `work`, and the sha256 of each package they come from */
export function smollm2Corpus(work) {
  const out = join(work, 'corpus');
  const report = join(out, 'packages.json');
  if (!existsSync(report)) {
    const draft = `${out}.part`;
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(join(draft, 'packages'), { recursive: true });
    execFileSync('apt-get', ['download', ...PACKAGES], { cwd: join(draft, 'packages'), stdio: 'inherit' });
    const packages = readdirSync(join(draft, 'packages')).map((name) => {
      const path = join(draft, 'packages', name);
      execFileSync('dpkg-deb', ['-x', path, join(draft, 'root')]);
      return { name, sha256: createHash('sha256').update(readFileSync(path)).digest('hex') };
    });
    const share = join(draft, 'root', 'usr', 'share');
    const kernel = join(share, 'doc', 'linux-doc-6.1', 'Documentation');
    const kinds = {
      prose: [
        ...files(join(share, 'doc', 'debian-handbook', 'html', 'en-US'), '.html').map(html),
        ...files(join(share, 'perl'), '.pod').map(pod),
      ],
      technical: KERNEL.flatMap((name) => files(join(kernel, name), '.rst.gz')).map(rst),
    };
    for (const [kind, texts] of Object.entries(kinds)) {
      mkdirSync(join(draft, kind));
      texts.forEach((text, i) => {
        if (text.length > 500) writeFileSync(join(draft, kind, `${String(i).padStart(4, '0')}.txt`), text);
      });
    }
    for (const name of ['packages', 'root']) rmSync(join(draft, name), { recursive: true });
    writeFileSync(join(draft, 'packages.json'), JSON.stringify(packages));
    renameSync(draft, out);
  }
  return {
    prose: join(out, 'prose'),
    technical: join(out, 'technical'),
    packages: JSON.parse(readFileSync(report, 'utf8')),
  };
}
