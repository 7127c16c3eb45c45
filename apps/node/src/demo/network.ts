import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TimedEvent } from '../events.ts';
import { Names, OTHERS, type Role } from './cast.ts';
import { DemoError } from './demo-error.ts';
import { NodeProcess } from './node-process.ts';

/** When one process fails because of another one, that one's end is heard of within this time, in milliseconds. */
const BLAME_MS = 300;
/** How long the relays may take to be connected to each other, in milliseconds. */
const MESH_TIMEOUT_MS = 30_000;

/** Who hears what the nodes tell. */
export interface Observer {
  started(name: string, pid: number | undefined): void;
  event(name: string, event: TimedEvent): void;
  errors(name: string, text: string): void;
}

/** A node of the network, up and listening. */
export interface Member {
  readonly role: Role;
  readonly process: NodeProcess;
  readonly peerId: string;
  /** `host:port`. */
  readonly endpoint: string;
  /** `peerId@host:port`. */
  readonly address: string;
}

/** The processes of all nodes but A, and of A while it sends. */
export class Network {
  readonly names: Names = new Names();
  readonly #folder: string;
  readonly #observer: Observer;
  readonly #more: (role: Role) => readonly string[];
  readonly #processes: NodeProcess[] = [];
  readonly #members = new Map<string, Member>();
  #stopping = false;

  /**
   * @param folder - where nodes that receive put their files, each in a directory of its name
   * @param more - more arguments of each node
   */
  constructor(folder: string, observer: Observer, more: (role: Role) => readonly string[] = () => []) {
    this.#folder = folder;
    this.#observer = observer;
    this.#more = more;
  }

  /** Processes started so far. */
  get started(): number {
    return this.#processes.length;
  }

  /** In the order of the cast. */
  get members(): readonly Member[] {
    return OTHERS.flatMap(({ name }) => this.#members.get(name) ?? []);
  }

  member(name: string): Member {
    const member = this.#members.get(name);
    if (member === undefined) throw new DemoError(`there is no node ${name}`);
    return member;
  }

  /** The directory in which a node receives. */
  directory(name: string): string {
    return join(this.#folder, name);
  }

  /** Starts everybody but A, and connects the relays to each other. */
  async start(): Promise<void> {
    await Promise.all(OTHERS.map((role) => this.#startMember(role, `${role.host}:0`)));
    await this.#mesh();
  }

  /** Starts a node again that has ended, where it was; who it is then is up to its arguments. @throws DemoError where it does not come up */
  async restart(name: string): Promise<void> {
    const { role, endpoint } = this.member(name);
    await this.#startMember(role, endpoint);
    if (role.meshed) this.#connectToLater(name);
  }

  /** Starts a process. @throws DemoError after `stop` */
  spawn(name: string, args: readonly string[]): NodeProcess {
    if (this.#stopping) throw new DemoError('the demo is over');
    const process = new NodeProcess(
      name,
      args,
      (from, event) => this.#observer.event(from, event),
      (from, text) => this.#observer.errors(from, text),
    );
    this.#processes.push(process);
    this.#observer.started(name, process.pid);
    return process;
  }

  /** @throws DemoError where a node that should be up is not */
  check(): void {
    const ended = this.members.find(({ process }) => !process.running);
    if (ended !== undefined && !this.#stopping) throw ended.process.endedEarly();
  }

  /** Waits for `work`, and fails as soon as a node ends that should be up. */
  async guard<T>(work: Promise<T>): Promise<T> {
    const ended = this.members.map(({ process }) => process.exited);
    const lost = Promise.race(ended).then(() => {
      this.check();
      return new Promise<never>(() => {});
    });
    try {
      return await Promise.race([work, lost]);
    } catch (error) {
      work.catch(() => {});
      await sleep(BLAME_MS);
      this.check();
      throw error;
    }
  }

  /** Forgets what nodes have told so far. */
  forget(): void {
    for (const { process } of this.members) process.forget();
  }

  /**
   * Ends every process that runs. Idempotent.
   * @param patienceMs - how long each may take before it is killed
   */
  async stop(patienceMs?: number): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#processes.map((process) => process.stop(patienceMs)));
  }

  /** Processes that are still there, as the system sees it. */
  remaining(): readonly string[] {
    return this.#processes.filter(({ pid }) => pid !== undefined && isAlive(pid)).map(({ name }) => name);
  }

  async #startMember(role: Role, listen: string): Promise<void> {
    const { name, host, receives } = role;
    const into = receives ? ['--into', this.directory(name)] : [];
    const process = this.spawn(name, [
      'up',
      '--relay',
      '--listen',
      listen,
      '--dial-from',
      host,
      '--allow-dial',
      'loopback',
      ...into,
      ...this.#more(role),
    ]);
    const { peerId, listening } = await process.waitFor('ready');
    const endpoint = listening[0] as string;
    this.names.add(name, peerId);
    this.#members.set(name, { role, process, peerId, endpoint, address: `${peerId}@${endpoint}` });
  }

  /** Has a relay connect to those that come after it, and stay so. */
  #connectToLater(name: string): void {
    const relays = this.members.filter(({ role }) => role.meshed);
    const index = relays.findIndex(({ role }) => role.name === name);
    for (const other of relays.slice(index + 1)) relays[index]?.process.tell(`connect ${other.address}`);
  }

  async #mesh(): Promise<void> {
    const relays = this.members.filter(({ role }) => role.meshed);
    for (const { role } of relays) this.#connectToLater(role.name);
    const deadlineMs = performance.now() + MESH_TIMEOUT_MS;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const known = await Promise.all(
        relays.map(
          async ({ process }) =>
            (await process.status()).connections.filter(({ kind, relaying }) => kind === 'direct' && relaying === true).length,
        ),
      );
      if (known.every((count) => count === relays.length - 1)) return;
      if (performance.now() > deadlineMs)
        throw new DemoError(
          `the relays did not connect to each other: ${relays.map(({ role }, index) => `${role.name} has ${known[index]} neighbours`).join(', ')}`,
        );
      // oxlint-disable-next-line no-await-in-loop
      await sleep(50);
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
