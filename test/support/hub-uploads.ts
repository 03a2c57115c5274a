/** A hub's writing routes, as huggingface_hub and @huggingface/hub use them: uploads are stored, checked, and then served. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parse } from 'yaml';
import { type HubRepository, hubRepository } from './hub-repository.js';
import { Answer, type HubRequest, type HubRoutes, type HubState, refusal } from './hub-server.js';
import { hubStorage, type Received } from './hub-storage.js';

/** `on` is tested against the path of the URL; `times` (default 1) is how often the fault occurs. */
export type UploadFault = { readonly on: RegExp; readonly times?: number } & (
  | { readonly kind: 'cut' /** of the request's body */; readonly afterBytes: number }
  | { readonly kind: 'stall' /** the answer never comes */ }
  | { readonly kind: 'refuse'; readonly status: number; readonly error: string; readonly code?: string }
  | { readonly kind: 'lost-answer' /** the work is done, and 503 answered */ }
  | { readonly kind: 'corrupt' /** what is stored has another byte than what came */ }
);

export interface HubAccount {
  readonly name: string;
  readonly orgs?: readonly string[];
  readonly role?: 'read' | 'write';
}

export interface UploadOptions {
  /** Where objects are stored. */
  readonly folder: string;
  /** By token. */
  readonly accounts: Readonly<Record<string, HubAccount>>;
  /** Larger objects are uploaded in parts of this size. */
  readonly partBytes?: number;
  readonly faults?: readonly UploadFault[];
}

export interface Uploads {
  readonly routes: HubRoutes;
  /** What was sent to the storage. */
  readonly received: readonly Received[];
}

const LARGE_BYTES = 10_000_000;
const LARGE_NAME = /\.(safetensors|gguf|bin|pth|model)$/;
const GIT_ATTRIBUTES = '*.safetensors filter=lfs diff=lfs merge=lfs -text\n';

type Json = Record<string, unknown>;

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const jsonOf = async (request: IncomingMessage) => JSON.parse(await textOf(request)) as Json;

/** The hub has more rules; invalid YAML violates all of them. */
function validate(content: string): Answer {
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(content)?.[1];
  const warnings = front === undefined ? [{ message: 'empty or missing yaml metadata in repo card' }] : [];
  try {
    parse(front ?? '');
    return new Answer(200, { errors: [], warnings });
  } catch {
    return new Answer(400, { errors: [{ message: 'Invalid YAML in the metadata' }], warnings });
  }
}

function preupload({ files }: HubRepository, asked: readonly { path: string; size: number }[]): object {
  return {
    files: asked.map(({ path, size }) => ({
      path,
      uploadMode: LARGE_NAME.test(path) || size > LARGE_BYTES ? 'lfs' : 'regular',
      shouldIgnore: false,
      // The digest that the client compares: sha256 for large files, git's sha1 for others.
      oid: files.get(path)?.lfs?.oid ?? files.get(path)?.oid ?? null,
    })),
  };
}

/** For `startHub({ uploads: hubUploads(...).routes })`. */
export function hubUploads(options: UploadOptions): Uploads {
  const { folder, accounts, partBytes = Number.POSITIVE_INFINITY } = options;
  const faults = (options.faults ?? []).map((fault) => ({ fault, left: fault.times ?? 1 }));

  function strike<Kind extends UploadFault['kind']>(kind: Kind, path: string) {
    const entry = faults.find(({ fault, left }) => fault.kind === kind && left > 0 && fault.on.test(path));
    if (entry === undefined) return null;
    entry.left -= 1;
    return entry.fault as UploadFault & { kind: Kind };
  }

  const storage = hubStorage({
    folder,
    cutAfter: (path) => strike('cut', path)?.afterBytes ?? null,
    spoils: (path) => strike('corrupt', path) !== null,
  });

  const accountOf = (log: HubRequest) => accounts[(log.authorization ?? '').replace(/^Bearer /, '')];

  function belongs(id: string, account: HubAccount | undefined): boolean {
    return [account?.name, ...(account?.orgs ?? [])].includes(id.split('/')[0]!);
  }

  function mustWrite(log: HubRequest, id: string): void {
    const account = accountOf(log);
    if (account === undefined) throw new Answer(401, { error: 'Invalid username or password.' });
    if (account.role !== 'read' && belongs(id, account)) return;
    throw new Answer(403, { error: `You don't have the rights to write to ${id}` });
  }

  function branchOf({ repos }: HubState, id: string, revision: string): HubRepository {
    const found = repos.get(id)?.get(revision);
    if (found === undefined) throw refusal(404, 'RepoNotFound', 'Repository not found');
    return found;
  }

  function whoami(log: HubRequest): object {
    const account = accountOf(log);
    if (account === undefined) throw new Answer(401, { error: 'Invalid credentials in Authorization header' });
    const { name, role = 'write' } = account;
    const orgs = (account.orgs ?? []).map((org) => ({ type: 'org', name: org, fullname: org }));
    const accessToken = { displayName: 'test', role, createdAt: '2025-01-01T00:00:00.000Z' };
    return { type: 'user', name, fullname: name, orgs, auth: { type: 'access_token', accessToken } };
  }

  async function create({ repos, privates, url }: HubState, request: IncomingMessage, log: HubRequest) {
    const { name, organization, visibility, private: isPrivate } = await jsonOf(request);
    const id = `${organization ?? accountOf(log)?.name}/${name}`;
    mustWrite(log, id);
    if (repos.has(id)) throw new Answer(409, { error: 'You already created this model repo', url: `${url}/${id}` });
    const first = await hubRepository({ '.gitattributes': GIT_ATTRIBUTES });
    repos.set(id, new Map([['main', first]]).set(first.commit, first));
    if (isPrivate === true || visibility === 'private') privates.add(id);
    return { url: `${url}/${id}`, id, name: id };
  }

  function actionsFor({ url, storageUrl }: HubState, id: string, oid: string, size: number): Json {
    const verify = { href: `${url}/${id}.git/info/lfs/objects/verify`, header: {} };
    if (size <= partBytes) return { upload: { href: `${storageUrl}/lfs/object/${oid}?signed=1`, header: {} }, verify };
    const upload = storage.begin(oid);
    const parts = Array.from({ length: Math.ceil(size / partBytes) }, (_, i) => [
      String(i + 1).padStart(5, '0'),
      `${storageUrl}/lfs/part/${upload}/${i + 1}?signed=1`,
    ]);
    const header = { ...Object.fromEntries(parts), chunk_size: String(partBytes) };
    return { upload: { href: `${url}/lfs/complete/${upload}`, header }, verify };
  }

  function batch(state: HubState, id: string, body: Json): Answer {
    const { operation, hash_algo: algorithm = 'sha256' } = body;
    if (operation !== 'upload' || !['sha256', 'sha_256'].includes(String(algorithm))) {
      throw new Answer(422, { message: 'only sha256, and only uploads' });
    }
    const objects = body.objects as { oid: string; size: number }[];
    const answered = objects.map(({ oid, size }) => ({
      oid,
      size,
      ...(!storage.has(oid) && { actions: actionsFor(state, id, oid, size) }),
    }));
    const transfer = objects.some(({ size }) => size > partBytes) ? 'multipart' : 'basic';
    return new Answer(200, { transfer, objects: answered }, { 'content-type': 'application/vnd.git-lfs+json' });
  }

  async function commit(state: HubState, id: string, revision: string, ndjson: string): Promise<object> {
    const before = branchOf(state, id, revision);
    const [header, ...lines] = ndjson
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { key: string; value: Json });
    if (header?.key !== 'header') throw new Answer(400, { error: 'the header comes first' });
    const { parentCommit, summary } = header.value;
    if (parentCommit !== undefined && parentCommit !== before.commit) {
      throw new Answer(412, { error: 'A commit has happened since. Please refresh and try again.' });
    }
    const files = new Map(before.files);
    for (const { key, value } of lines) {
      const path = String(value.path);
      if (key === 'file') {
        const bytes = Buffer.from(String(value.content), value.encoding as BufferEncoding);
        for (const [name, file] of (await hubRepository({ [path]: bytes })).files) files.set(name, file);
      } else if (key === 'lfsFile') {
        files.set(path, await storage.file(path, String(value.oid), Number(value.size)));
      } else if (key !== 'deletedFile' || !files.delete(path)) {
        throw new Answer(400, { error: `${key} ${path} cannot be` });
      }
    }
    const sorted = new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)));
    const listing = [...sorted.values()].map(({ path, oid }) => `${path} ${oid}\n`).join('');
    const oid = createHash('sha1').update(`parent ${before.commit}\n${summary}\n${listing}`).digest('hex');
    const after = { commit: oid, files: sorted };
    state.repos.get(id)!.set(revision, after).set(oid, after);
    return { success: true, commitOid: oid, commitUrl: `${state.url}/${id}/commit/${oid}`, hookOutput: '' };
  }

  /** One request to respond to. */
  interface Call {
    readonly state: HubState;
    readonly request: IncomingMessage;
    readonly log: HubRequest;
    readonly path: string;
  }

  type Route = (call: Call, ...parts: string[]) => Promise<object> | object;

  const ROUTES: readonly (readonly [RegExp, Route])[] = [
    [/^\/api\/whoami-v2$/, ({ log }) => whoami(log)],
    [/^\/api\/repos\/create$/, ({ state, request, log }) => create(state, request, log)],
    [/^\/api\/validate-yaml$/, async ({ request }) => validate(String((await jsonOf(request)).content))],
    [/^\/lfs\/object\/([0-9a-f]{64})$/, ({ request, path }, oid = '') => storage.putObject(request, path, oid)],
    [
      /^\/lfs\/part\/([0-9a-f]+)\/(\d+)$/,
      ({ request, path }, upload = '', part = '') => storage.putPart(request, path, upload, Number(part)),
    ],
    [
      /^\/lfs\/complete\/([0-9a-f]+)$/,
      async ({ request, path }, upload = '') =>
        storage.complete((await jsonOf(request)) as Parameters<typeof storage.complete>[0], path, upload),
    ],
    [
      /^\/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/batch$/,
      async ({ state, request, log }, id = '') => {
        mustWrite(log, id);
        return batch(state, id, await jsonOf(request));
      },
    ],
    [
      /^\/[^/]+\/[^/]+\.git\/info\/lfs\/objects\/verify$/,
      async ({ request }) => new Answer(storage.has(String((await jsonOf(request)).oid)) ? 200 : 404, {}),
    ],
    [
      /^\/api\/models\/([^/]+\/[^/]+)\/preupload\/([^/]+)$/,
      async ({ state, request, log }, id = '', revision = '') => {
        mustWrite(log, id);
        const { files } = await jsonOf(request);
        return preupload(branchOf(state, id, revision), files as { path: string; size: number }[]);
      },
    ],
    [
      /^\/api\/models\/([^/]+\/[^/]+)\/commit\/([^/]+)$/,
      async ({ state, request, log }, id = '', revision = '') => {
        mustWrite(log, id);
        return commit(state, id, revision, await textOf(request));
      },
    ],
  ];

  async function answer(call: Call): Promise<boolean> {
    const { state, log, path } = call;
    const hidden = [...state.privates].some((id) => `${path}/`.includes(`/${id}/`) && !belongs(id, accountOf(log)));
    if (hidden) throw refusal(log.authorization === null ? 401 : 404, 'RepoNotFound', 'Repository not found');
    const refused = strike('refuse', path);
    if (refused !== null) {
      const { status, error, code } = refused;
      throw new Answer(status, { error }, code === undefined ? {} : { 'x-error-code': code });
    }
    if (strike('stall', path) !== null) return true;
    for (const [pattern, route] of ROUTES) {
      const match = pattern.exec(path);
      if (match === null) continue;
      const done = await route(call, ...match.slice(1));
      if (strike('lost-answer', path) !== null) throw new Answer(503, { error: 'status 503' });
      throw done instanceof Answer ? done : new Answer(200, done);
    }
    return false;
  }

  return {
    received: storage.received,
    routes: (state) => async (request, _response: ServerResponse, log) =>
      answer({ state, request, log, path: new URL(log.url, 'http://hub').pathname }),
  };
}
