import { readFile, readdir } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

/** Where the build of the page lies: in the package, beside the code, whether that runs from its source or its build. */
export const PAGE_FOLDER: string = join(import.meta.dirname, '..', '..', 'dashboard');

const NOT_BUILT = `The dashboard is not built.

In a clone of the repository, build it and load this page again:

  npx -y pnpm@12 dashboard
`;

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/vnd.microsoft.icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.woff2': 'font/woff2',
};

/** What the page may load, from where, and who may see it: nothing but itself, nothing but from here, nobody else. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

interface PageFile {
  readonly type: string;
  readonly cacheControl: string;
  readonly content: Buffer;
}

/**
 * The page that shows the node, for browsers. Its files are read once and answered from memory: a path is the name of one
 * of them or of nothing.
 */
export class Page {
  readonly #folder: string;
  #files: ReadonlyMap<string, PageFile> = new Map();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Reads what lies in `folder`; it may not be there. */
  static async read(folder: string): Promise<Page> {
    const page = new Page(folder);
    await page.#read();
    return page;
  }

  /** Whether there is a page to be shown; it may have been built meanwhile. */
  async built(): Promise<boolean> {
    if (!this.#files.has('/')) await this.#read();
    return this.#files.has('/');
  }

  /** Whether a request is one for the page. */
  has(method: string | undefined, path: string): boolean {
    return (method === 'GET' || method === 'HEAD') && (path === '/' || this.#files.has(path));
  }

  /** Answers with what is at `path`, which the page has; where it is not built, with how to build it. */
  async write(path: string, response: ServerResponse): Promise<void> {
    const file = (await this.built()) ? this.#files.get(path) : undefined;
    const { type, cacheControl, content } = file ?? notBuilt();
    response
      .writeHead(file === undefined ? 404 : 200, {
        ...PAGE_HEADERS,
        'Content-Type': type,
        'Content-Length': content.length,
        'Cache-Control': cacheControl,
      })
      .end(content);
  }

  async #read(): Promise<void> {
    const files = new Map<string, PageFile>();
    for (const file of await filesIn(this.#folder)) {
      const name = relative(this.#folder, file).split(sep).join('/');
      // The build puts a digest into the names of what is in assets.
      const cacheControl = name.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
      const type = TYPES[extname(name)] ?? 'application/octet-stream';
      // oxlint-disable-next-line no-await-in-loop
      files.set(name === 'index.html' ? '/' : `/${name}`, { type, cacheControl, content: await readFile(file) });
    }
    this.#files = files;
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function notBuilt(): PageFile {
  return { type: 'text/plain; charset=utf-8', cacheControl: 'no-store', content: Buffer.from(NOT_BUILT) };
}
