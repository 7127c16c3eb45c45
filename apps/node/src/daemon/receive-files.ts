import { FILES_FROM, FILES_INTO } from '../config/app-keys.ts';
import type { Config } from '../config/config.ts';
import { FileServer, checkDirectory } from '../serve-files.ts';
import type { Feature, FeatureContext } from './feature.ts';

/** Receives files into the folder of the configuration. */
export class ReceiveFiles implements Feature {
  readonly name = 'files';
  #context: FeatureContext | undefined;
  #server: FileServer | undefined;
  /** Those of earlier configurations too: what is on its way there goes on. */
  readonly #servers = new Set<FileServer>();
  #stopping = new AbortController();
  #into: string | undefined;

  async start(context: FeatureContext): Promise<void> {
    this.#context = context;
    this.#stopping = new AbortController();
    await this.reconfigure(context.config);
  }

  async reconfigure(config: Config): Promise<void> {
    const into = config.get(FILES_INTO);
    if (into !== undefined) await checkDirectory(into);
    this.#server?.stop();
    this.#server = undefined;
    this.#into = into;
    if (into === undefined || this.#context === undefined) return;
    const { node, output, signal } = this.#context;
    const from = config.get(FILES_FROM);
    this.#server = new FileServer(node, output, {
      directory: into,
      ...(from.length > 0 && { from }),
      signal: AbortSignal.any([signal, this.#stopping.signal]),
    });
    this.#servers.add(this.#server);
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
  }

  status(): unknown {
    return { into: this.#into ?? null };
  }
}
