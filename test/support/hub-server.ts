/** A loopback hub: the read routes that huggingface_hub and @huggingface/hub use, and the faults of a bad network. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type SentBody, sendFile, sendJson } from './hub-body.js';
import { type HubFault, type Strike, striker } from './hub-faults.js';
import { type HubFile, type HubFiles, type HubRepository, hubRepository } from './hub-repository.js';

export type { HubFault } from './hub-faults.js';

/** `url` includes the query; `sentBytes` counts the body. */
export interface HubRequest extends SentBody {
  readonly method: string;
  readonly host: string;
  readonly authorization: string | null;
}

export interface HubOptions {
  /** By `org/name` or `datasets/org/name`, or with `@revision` for revisions other than main. */
  readonly repos: Readonly<Record<string, HubFiles>>;
  /** The token that may read gated repositories: 401 without one, 403 with another. */
  readonly token?: string;
  readonly gated?: readonly string[];
  /** Old name → new name, answered by a redirect. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly faults?: readonly HubFault[];
  /** Entries per page of a listing. */
  readonly pageSize?: number;
  /** The writing routes, from a separate file; tried before the reading ones. */
  readonly uploads?: HubRoutes;
}

/** What routes in other files need. */
export interface HubState {
  /** By id, then by branch and by commit; a commit adds entries for both. */
  readonly repos: Map<string, Map<string, HubRepository>>;
  /** Ids that the hub says are private. */
  readonly privates: Set<string>;
  readonly options: HubOptions;
  /** Of the hub, and of the storage behind it, which is another host. */
  readonly url: string;
  readonly storageUrl: string;
  readonly strike: Strike;
}

/** Returns false for other requests; otherwise it writes the response or throws an `Answer`. */
export type HubRoutes = (
  state: HubState,
) => (request: IncomingMessage, response: ServerResponse, log: HubRequest) => Promise<boolean>;

export interface Hub {
  readonly url: string;
  readonly requests: readonly HubRequest[];
  /** The requests for the contents of files. */
  contentRequests(): HubRequest[];
  close(): Promise<void>;
}

/** Thrown to respond with JSON. */
export class Answer extends Error {
  constructor(
    readonly status: number,
    readonly body: object,
    readonly headers: Record<string, string> = {},
  ) {
    super();
  }
}

export const refusal = (status: number, code: string, error: string) =>
  new Answer(status, { error }, { 'x-error-code': code, 'x-error-message': error });

const CDN = /^\/cdn\/([0-9a-f]{64})\//;
/** A dataset's id begins with `datasets/`. */
const API =
  /^\/api\/(?:models\/|(?=datasets\/))((?:datasets\/)?[^/]+\/[^/]+)(?:\/(revision|tree|paths-info)\/([^/]+)(?:\/(.*))?)?$/;
const REFS = /^\/api\/(?:models\/|(?=datasets\/))((?:datasets\/)?[^/]+\/[^/]+)\/refs$/;
const RESOLVE = /^\/((?:datasets\/)?[^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/;

/** Listens until `close`. Files in large-file storage are served from another host name, `localhost`, as by a CDN. */
export async function startHub(options: HubOptions): Promise<Hub> {
  const { gated = [], token, renamed = {}, pageSize = 1000 } = options;
  const repos = new Map<string, Map<string, HubRepository>>();
  for (const [key, files] of Object.entries(options.repos)) {
    const [id = '', revision = 'main'] = key.split('@');
    const repository = await hubRepository(files);
    const revisions = repos.get(id) ?? new Map<string, HubRepository>();
    repos.set(id, revisions.set(revision, repository).set(repository.commit, repository));
  }
  const strike = striker(options.faults ?? []);
  /** How often each link of the storage was used; every redirect creates a new one. */
  const links: number[] = [];
  const requests: HubRequest[] = [];
  const privates = new Set<string>();
  let port = 0;

  function find(id: string, revision: string, log: HubRequest, path: string): HubRepository {
    const now = renamed[id];
    if (now !== undefined) throw new Answer(307, {}, { location: path.replace(id, now) });
    const revisions = repos.get(id);
    // As on the hub, an anonymous user cannot distinguish a private repository from a missing one.
    if (revisions === undefined) {
      throw refusal(log.authorization === null ? 401 : 404, 'RepoNotFound', 'Repository not found');
    }
    const found = revisions.get(decodeURIComponent(revision));
    if (found === undefined) throw refusal(404, 'RevisionNotFound', `Invalid rev id: ${revision}`);
    return found;
  }

  function api(id: string, kind: string | undefined, revision: string, log: HubRequest): object | Answer {
    const repository = find(id, revision, log, log.url);
    const files = [...repository.files.values()];
    if (kind !== 'tree') {
      const siblings = files.map(({ path }) => ({ rfilename: path }));
      const date = '2025-01-01T00:00:00.000Z';
      const shared = { _id: '0', id, modelId: id, sha: repository.commit, lastModified: date, createdAt: date };
      return {
        ...shared,
        siblings,
        private: privates.has(id),
        gated: gated.includes(id),
        downloads: 0,
        likes: 0,
        tags: [],
      };
    }
    const query = new URL(log.url, 'http://hub').searchParams;
    const from = Number(query.get('cursor') ?? 0);
    const page = files.slice(from, from + pageSize).map(treeEntry);
    if (from + pageSize >= files.length) return page;
    query.set('cursor', String(from + pageSize));
    const next = `http://127.0.0.1:${port}${new URL(log.url, 'http://hub').pathname}?${query}`;
    return new Answer(200, page, { link: `<${next}>; rel="next"` });
  }

  function resolve(id: string, revision: string, path: string, log: HubRequest): { file: HubFile; commit: string } {
    const { commit, files } = find(id, revision, log, log.url);
    if (gated.includes(id) && log.authorization !== `Bearer ${token}`) {
      throw refusal(log.authorization === null ? 401 : 403, 'GatedRepo', `Access to model ${id} is restricted`);
    }
    const file = files.get(decodeURIComponent(path));
    if (file === undefined) throw refusal(404, 'EntryNotFound', 'Entry not found');
    return { file, commit };
  }

  async function answer(request: IncomingMessage, response: ServerResponse, log: HubRequest): Promise<void> {
    const { pathname, searchParams: query } = new URL(log.url, 'http://hub');
    const broken = strike('status', pathname);
    if (broken !== null) {
      const { status, retryAfterSeconds } = broken;
      const wait = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
      throw new Answer(status, { error: `status ${status}` }, wait);
    }
    if (await uploads?.(request, response, log)) return;
    const sha256 = CDN.exec(pathname)?.[1];
    if (sha256 !== undefined) {
      const all = [...repos.values()].flatMap((revisions) => [...revisions.values()]);
      const file = all.flatMap(({ files }) => [...files.values()]).find((candidate) => candidate.sha256 === sha256);
      if (file === undefined) throw new Answer(404, {});
      const link = Number(query.get('link'));
      links[link] = (links[link] ?? 0) + 1;
      if (strike('expire', pathname, ({ uses }) => links[link]! > uses) !== null) throw new Answer(403, {});
      return sendFile(file, { request, response, log, strike }, { etag: `"${sha256}"` });
    }
    const [, named] = REFS.exec(pathname) ?? [];
    if (named !== undefined) {
      const branches = [...(repos.get(named) ?? [])].filter(([name, { commit }]) => name !== commit);
      const refs = branches.map(([name, { commit }]) => ({ name, ref: `refs/heads/${name}`, targetCommit: commit }));
      throw new Answer(200, { branches: refs, tags: [], converts: [] });
    }
    const [, id, kind, revision = 'main', rest] = API.exec(pathname) ?? [];
    if (id !== undefined && kind === 'paths-info') {
      const wanted = await pathsOf(request);
      const { files } = find(id, revision, log, log.url);
      throw new Answer(200, [...files.values()].filter(({ path }) => wanted.includes(path)).map(treeEntry));
    }
    if (id !== undefined && !rest) {
      const body = api(id, kind, revision, log);
      throw body instanceof Answer ? body : new Answer(200, body);
    }
    const [, repo = '', rev = '', path = ''] = RESOLVE.exec(pathname) ?? [];
    if (repo === '') throw new Answer(404, { error: 'no such route' });
    const { file, commit } = resolve(repo, rev, path, log);
    const headers = { 'x-repo-commit': commit, etag: `"${file.oid}"` };
    if (file.lfs === null) return sendFile(file, { request, response, log, strike }, headers);
    throw new Answer(
      302,
      {},
      {
        ...headers,
        'x-linked-etag': `"${file.lfs.oid}"`,
        'x-linked-size': String(file.size),
        location: `http://localhost:${port}/cdn/${file.lfs.oid}/${path}?link=${links.push(0) - 1}`,
      },
    );
  }

  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request;
    const log: HubRequest = {
      method,
      url,
      host: (headers.host ?? '').replace(/:\d+$/, ''),
      range: headers.range ?? null,
      authorization: headers.authorization ?? null,
      status: 0,
      sentBytes: 0,
    };
    requests.push(log);
    answer(request, response, log).catch((thrown: unknown) => {
      const given = thrown instanceof Answer ? thrown : new Answer(500, { error: String(thrown) });
      log.status = given.status;
      const { pathname } = new URL(url, 'http://hub');
      sendJson(response, { path: pathname, head: method === 'HEAD', strike }, given);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
  const url = `http://127.0.0.1:${port}`;
  const uploads = options.uploads?.({ repos, privates, options, url, storageUrl: `http://localhost:${port}`, strike });
  return {
    url,
    requests,
    contentRequests: () => requests.filter(({ url }) => CDN.test(url) || RESOLVE.test(url)),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function treeEntry({ path, size, oid, lfs }: HubFile): object {
  return { type: 'file', path, size, oid, ...(lfs !== null && { lfs }) };
}

/** JSON from @huggingface/hub, a form from huggingface_hub. */
async function pathsOf(request: IncomingMessage): Promise<string[]> {
  let text = '';
  for await (const chunk of request) text += chunk;
  if (text.startsWith('{')) return (JSON.parse(text) as { paths: string[] }).paths;
  return new URLSearchParams(text).getAll('paths');
}
