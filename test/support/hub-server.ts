/** A hub on the loopback: the read routes that huggingface_hub and @huggingface/hub use, and the faults of a bad network. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type HubFile, type HubFiles, type HubRepository, hubRepository } from './hub-repository.js';

/** `on` is tested against the path of the URL; `times` (default 1) counts how often the fault strikes. */
export type HubFault = { readonly on: RegExp; readonly times?: number } & (
  | { readonly kind: 'cut' | 'stall' /** of this answer's body */; readonly afterBytes: number }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly kind: 'flip' /** in the file */; readonly atByte: number }
  | { readonly kind: 'ignore-range' }
);

export interface HubRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  readonly host: string;
  readonly range: string | null;
  readonly authorization: string | null;
  status: number;
  /** Of the body. */
  sentBytes: number;
}

export interface HubOptions {
  /** By `org/name`, or `org/name@revision` for more than main. */
  readonly repos: Readonly<Record<string, HubFiles>>;
  /** The token that may read gated repositories: 401 without one, 403 with another. */
  readonly token?: string;
  readonly gated?: readonly string[];
  /** Old name → new name, answered by a redirect. */
  readonly renamed?: Readonly<Record<string, string>>;
  readonly faults?: readonly HubFault[];
  /** Entries a page of a listing. */
  readonly pageSize?: number;
  /** Routes that write, from a file of their own; asked before those that read. */
  readonly uploads?: HubRoutes;
}

/** What routes in other files work with. */
export interface HubState {
  /** By id, then by branch and by commit; a commit adds to both. */
  readonly repos: Map<string, Map<string, HubRepository>>;
  /** Ids that the hub says are private. */
  readonly privates: Set<string>;
  readonly options: HubOptions;
  /** Of the hub, and of the storage behind it, which is another host. */
  readonly url: string;
  readonly storageUrl: string;
  /** The first fault of a kind that is due for the path of a URL; it counts as having struck. */
  strike<Kind extends HubFault['kind']>(
    kind: Kind,
    path: string,
    applies?: (fault: HubFault & { kind: Kind }) => boolean,
  ): (HubFault & { kind: Kind }) | null;
}

/** False when the request is none of theirs; to answer, they write the response or throw an `Answer`. */
export type HubRoutes = (
  state: HubState,
) => (request: IncomingMessage, response: ServerResponse, log: HubRequest) => Promise<boolean>;

export interface Hub {
  readonly url: string;
  readonly requests: readonly HubRequest[];
  /** Requests for the content of files. */
  contentRequests(): HubRequest[];
  close(): Promise<void>;
}

/** Thrown to answer with JSON. */
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
const API = /^\/api\/models\/([^/]+\/[^/]+)(?:\/(revision|tree|paths-info)\/([^/]+)(?:\/(.*))?)?$/;
const RESOLVE = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/;

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
  const faults = (options.faults ?? []).map((fault) => ({ fault, left: fault.times ?? 1 }));
  const requests: HubRequest[] = [];
  const privates = new Set<string>();
  let port = 0;

  function strike<Kind extends HubFault['kind']>(
    kind: Kind,
    path: string,
    applies: (fault: HubFault & { kind: Kind }) => boolean = () => true,
  ): (HubFault & { kind: Kind }) | null {
    for (const entry of faults) {
      const fault = entry.fault as HubFault & { kind: Kind };
      if (fault.kind !== kind || entry.left === 0 || !fault.on.test(path) || !applies(fault)) continue;
      entry.left -= 1;
      return fault;
    }
    return null;
  }

  function find(id: string, revision: string, log: HubRequest, path: string): HubRepository {
    const now = renamed[id];
    if (now !== undefined) throw new Answer(307, {}, { location: path.replace(id, now) });
    const revisions = repos.get(id);
    // As the hub does: who is not known cannot tell a private repository from none.
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

  async function sendFile(
    file: HubFile,
    request: IncomingMessage,
    response: ServerResponse,
    log: HubRequest,
    headers: Record<string, string>,
  ): Promise<void> {
    const path = new URL(log.url, 'http://hub').pathname;
    const range = /^bytes=(\d+)-(\d*)$/.exec(log.range ?? '');
    const honoured = range !== null && strike('ignore-range', path) === null;
    const start = honoured ? Number(range[1]) : 0;
    const end = honoured && range[2] ? Math.min(file.size, Number(range[2]) + 1) : file.size;
    if (honoured && start >= file.size) {
      log.status = 416;
      response.writeHead(416, { 'content-range': `bytes */${file.size}` }).end();
      return;
    }
    log.status = honoured ? 206 : 200;
    response.writeHead(log.status, {
      ...headers,
      'content-length': end - start,
      'accept-ranges': 'bytes',
      ...(honoured && { 'content-range': `bytes ${start}-${end - 1}/${file.size}` }),
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const flip = strike('flip', path, ({ atByte }) => atByte >= start && atByte < end);
    const stop = strike('cut', path) ?? strike('stall', path);
    const last = stop === null ? end : Math.min(end, start + stop.afterBytes);
    let at = start;
    for await (const piece of file.read(start, last)) {
      const chunk = Buffer.from(piece as Buffer);
      if (flip !== null && flip.atByte >= at && flip.atByte < at + chunk.length) {
        chunk.writeUInt8(chunk.readUInt8(flip.atByte - at) ^ 1, flip.atByte - at);
      }
      at += chunk.length;
      log.sentBytes += chunk.length;
      if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      if (response.destroyed) return;
    }
    if (stop === null) response.end();
    // Half a body: what was written goes out, then the connection ends. A stalled one stays open.
    else if (stop.kind === 'cut') response.socket?.destroySoon();
  }

  async function answer(request: IncomingMessage, response: ServerResponse, log: HubRequest): Promise<void> {
    const { pathname } = new URL(log.url, 'http://hub');
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
      return sendFile(file, request, response, log, { etag: `"${sha256}"` });
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
    if (file.lfs === null) return sendFile(file, request, response, log, headers);
    throw new Answer(
      302,
      {},
      {
        ...headers,
        'x-linked-etag': `"${file.lfs.oid}"`,
        'x-linked-size': String(file.size),
        location: `http://localhost:${port}/cdn/${file.lfs.oid}/${path}`,
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
      const { status, body, headers } = thrown instanceof Answer ? thrown : new Answer(500, { error: String(thrown) });
      log.status = status;
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(request.method === 'HEAD' ? undefined : JSON.stringify(body));
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
