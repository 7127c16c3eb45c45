import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from '@matryoshka/e2e';
import type { NodeStatus, RelayLinkStatus } from '@matryoshka/node';
import type { LabHost } from '../lab/lab-host.ts';

const MAIN = fileURLToPath(new URL('../../../../apps/node/src/main.ts', import.meta.url));
/** How long it may take to say what is waited for, in milliseconds. */
const PATIENCE_MS = 90_000;
const MAX_STDERR_LENGTH = 8192;

/** `matryoshka …` as words. */
export function commandLine(...args: readonly string[]): readonly string[] {
  return [process.execPath, '--conditions=@matryoshka/source', MAIN, ...args];
}

/** What the command line tells with `--json`, as far as it matters here. */
export type CliEvent =
  | { readonly event: 'ready'; readonly peerId: string }
  | { readonly event: 'relay-opened'; readonly link: RelayLinkStatus }
  | { readonly event: 'relay-accepted'; readonly endpoint: string }
  | { readonly event: 'sent'; readonly sha256: string }
  | { readonly event: 'received'; readonly sha256: string }
  | { readonly event: 'status'; readonly status: NodeStatus };

/** An event of one kind. */
export type EventOf<Name extends CliEvent['event']> = Extract<CliEvent, { readonly event: Name }>;

/** `matryoshka …` on a host of the lab, and what it has told. */
export class CliProcess {
  readonly host: LabHost;
  /** Everything it told, in order. */
  readonly events: CliEvent[] = [];
  /** With the exit code, or the signal, once it has ended. */
  readonly ended: Promise<number | string>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #waiting = new Set<() => void>();
  #stderr = '';
  #end: number | string | undefined;

  constructor(host: LabHost, args: readonly string[]) {
    this.host = host;
    const command = commandLine(...args, '--json', '--exit-with-parent');
    this.#child = host.spawn(command, { stdio: 'pipe', env: { ...COMPILE_CACHE, ...process.env } }) as ChildProcessWithoutNullStreams;
    this.#child.stdin.on('error', () => {});
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-MAX_STDERR_LENGTH);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line) as CliEvent);
      this.#look();
    });
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#end = code ?? signal ?? 'no code';
        resolve(this.#end);
        this.#look();
      });
    });
  }

  /** Writes a line to its standard input. */
  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** The first event of this kind, from the `from`th of all on; it may still come. @throws Error */
  async event<Name extends CliEvent['event']>(name: Name, from = 0): Promise<EventOf<Name>> {
    const find = (): EventOf<Name> | undefined => this.events.slice(from).find((each): each is EventOf<Name> => each.event === name);
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        run();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`no ${name} on ${this.host.name}: ${why}; it said: ${this.#said}`)));
      const timer = setTimeout(() => fail('it took too long'), PATIENCE_MS);
      const look = (): void => {
        const found = find();
        if (found !== undefined) settle(() => resolve(found));
        else if (this.#end !== undefined) fail(`it ended with ${this.#end}`);
      };
      this.#waiting.add(look);
      look();
    });
  }

  get #said(): string {
    return this.#stderr.trim() || JSON.stringify(this.events.at(-1));
  }

  #look(): void {
    for (const look of [...this.#waiting]) look();
  }
}
