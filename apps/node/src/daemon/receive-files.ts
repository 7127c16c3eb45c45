import { CliError } from '../cli-error.ts';
import { FILES_FROM, FILES_INTO } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { FileServer, checkDirectory } from '../serve-files.ts';
import type { Feature, FeatureContext } from './feature.ts';

/** Receives files: into the folder of the configuration, or where there is none, into one that somebody asks for. */
export class ReceiveFiles implements Feature {
  readonly name = 'files';
  #context: FeatureContext | undefined;
  #server: FileServer | undefined;
  /** Those of earlier folders too: what is on its way there goes on. */
  readonly #servers = new Set<FileServer>();
  #stopping = new AbortController();
  #into: string | undefined;
  /** Whether somebody asked for the folder. */
  #asked = false;

  async start(context: FeatureContext): Promise<void> {
    this.#context = context;
    this.#stopping = new AbortController();
    await this.reconfigure(context.config);
  }

  async reconfigure(config: Config): Promise<void> {
    const into = config.get(FILES_INTO);
    // Who has asked for a folder keeps it.
    if (into === undefined && this.#asked) return;
    await this.#receiveInto(into, config.get(FILES_FROM));
    this.#asked = false;
  }

  /** The folder that files go into; undefined where none is taken. */
  get into(): string | undefined {
    return this.#into;
  }

  /**
   * Receives into `into` until the returned function is called; without it, nothing changes.
   * @throws CliError `file.directory`, `files.taken`, `files.nowhere`
   */
  async receiveInto(into: string | undefined, from: readonly string[]): Promise<() => Promise<void>> {
    if (into === undefined) {
      if (this.#into === undefined)
        throw new CliError('files.nowhere', 'the node receives no files', 'name a folder with --into, or files.into in its configuration');
      return () => Promise.resolve();
    }
    if (this.#into !== undefined)
      throw new CliError('files.taken', `the node receives files into ${this.#into} already`, 'leave --into out to hear of them');
    await this.#receiveInto(into, from);
    this.#asked = true;
    const server = this.#server;
    return async () => {
      if (this.#server === server) await this.#receiveInto(undefined, []);
    };
  }

  async drain(): Promise<void> {
    this.#server?.stop();
    await Promise.all([...this.#servers].map((server) => server.settled()));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.drain();
    this.#server = undefined;
    this.#servers.clear();
    this.#into = undefined;
    this.#asked = false;
  }

  status(): { readonly into: string | null } {
    return { into: this.#into ?? null };
  }

  async #receiveInto(into: string | undefined, from: readonly string[]): Promise<void> {
    if (into !== undefined) await checkDirectory(into);
    this.#server?.stop();
    this.#server = undefined;
    this.#into = into;
    if (into === undefined || this.#context === undefined) return;
    const { node, output, signal } = this.#context;
    this.#server = new FileServer(node, output, {
      directory: into,
      ...(from.length > 0 && { from }),
      signal: AbortSignal.any([signal, this.#stopping.signal]),
    });
    this.#servers.add(this.#server);
  }
}
