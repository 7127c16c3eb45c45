import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Host } from '../topology/topology.ts';
import type { Namespace } from './namespace.ts';

const living = new Set<ChildProcess>();
// Whatever way this process ends, it leaves none of its own behind.
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

/** A host of the lab: processes run on it, with its addresses. */
export class LabHost {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly #namespace: Namespace;
  readonly #children = new Set<ChildProcess>();

  constructor({ name, addresses }: Host, namespace: Namespace) {
    this.name = name;
    this.addresses = addresses;
    this.#namespace = namespace;
  }

  /** `host:port` of each address. */
  places(port: number): readonly string[] {
    return this.addresses.map((address) => (isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`));
  }

  /** A command that runs the one behind it here, in the same process. */
  get within(): readonly string[] {
    return this.#namespace.within;
  }

  /** Starts a process here. It ends with the lab. */
  spawn(command: readonly string[], options: SpawnOptions): ChildProcess {
    const child = this.#namespace.spawn(command, options);
    for (const set of [living, this.#children]) {
      set.add(child);
      child.on('exit', () => set.delete(child)).on('error', () => set.delete(child));
    }
    return child;
  }

  /** Runs a shell script to its end, and returns what it said. @throws Error with what it complained of */
  run(script: string): Promise<string> {
    return this.#namespace.run(script);
  }

  /** Addresses at the other end of its TCP connections, as its kernel knows them; each once. */
  async neighbours(): Promise<readonly string[]> {
    const lines = (await this.run('ss --no-header --numeric --tcp state established')).split('\n');
    const remotes = lines.map((line) => line.trim().split(/\s+/)[3] ?? '').filter((remote) => remote !== '');
    return [...new Set(remotes.map((remote) => remote.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')))].toSorted();
  }

  /** Whether a TCP connection to that place can be made within a second. */
  async reaches(address: string, port: number): Promise<boolean> {
    // From a socket, as what a script is read from, bash takes itself for a remote login and reads the user's start-up files.
    const said = await this.run(`timeout 1 bash -c ': < /dev/tcp/${address}/${port}' < /dev/null 2> /dev/null && echo yes || echo no`);
    return said.trim() === 'yes';
  }

  /** Ends what was started here. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#children].map(async (child) => {
        const gone = once(child, 'exit');
        child.kill('SIGKILL');
        await gone;
      }),
    );
  }
}
