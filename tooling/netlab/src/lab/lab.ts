import { spawnSync } from 'node:child_process';
import type { Topology } from '../topology/topology.ts';
import { LabHost } from './lab-host.ts';
import { Namespace } from './namespace.ts';
import { type Cable, type Setup, setupOf } from './setup.ts';

/** A network of network namespaces, one for each host and router, with cables between them. */
export class Lab implements AsyncDisposable {
  readonly #namespaces: ReadonlyMap<string, Namespace>;
  readonly #setup: Setup;
  readonly #hosts: ReadonlyMap<string, LabHost>;

  private constructor(topology: Topology, namespaces: ReadonlyMap<string, Namespace>) {
    this.#namespaces = namespaces;
    this.#setup = setupOf(topology);
    this.#hosts = new Map(topology.hosts.map((host) => [host.name, new LabHost(host, namespaces.get(host.name) as Namespace)]));
  }

  /** @throws Error with what the system says against it */
  static async build(topology: Topology): Promise<Lab> {
    const names = [...topology.routers, ...topology.hosts].map(({ name }) => name);
    const made = await Promise.allSettled(names.map((name) => Namespace.create(name)));
    const namespaces = new Map(made.flatMap((each) => (each.status === 'fulfilled' ? [[each.value.name, each.value] as const] : [])));
    const lab = new Lab(topology, namespaces);
    try {
      for (const each of made) if (each.status === 'rejected') throw each.reason;
      await lab.#connect();
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  get hosts(): readonly LabHost[] {
    return [...this.#hosts.values()];
  }

  /** @throws RangeError */
  host(name: string): LabHost {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`no host ${name}`);
    return host;
  }

  /** Pulls the cable between `name` and what is above it: nothing gets through, and nobody is told. */
  async unplug(name: string): Promise<void> {
    const { upper, unplug } = this.#cable(name);
    await this.#namespace(upper).run(unplug);
  }

  /** Puts it back. */
  async plug(name: string): Promise<void> {
    const { upper, plug } = this.#cable(name);
    await this.#namespace(upper).run(plug);
  }

  /** Ends every process that was started on its hosts, and with them the network. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.close()));
    for (const namespace of this.#namespaces.values()) namespace.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #connect(): Promise<void> {
    const { cables, scripts } = this.#setup;
    const lines = cables.map(
      ({ upper, lower, upperDevice, lowerDevice }) =>
        `link add name ${upperDevice} netns ${this.#namespace(upper).pid} type veth peer name ${lowerDevice} netns ${this.#namespace(lower).pid}`,
    );
    const { status, stderr } = spawnSync('ip', ['-batch', '-'], { input: `${lines.join('\n')}\n`, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr.trim());
    await Promise.all([...scripts].map(([name, script]) => this.#namespace(name).run(script)));
  }

  #namespace(name: string): Namespace {
    const namespace = this.#namespaces.get(name);
    if (namespace === undefined) throw new RangeError(`no namespace ${name}`);
    return namespace;
  }

  #cable(name: string): Cable {
    const cable = this.#setup.cables.find(({ lower }) => lower === name);
    if (cable === undefined) throw new RangeError(`no cable to ${name}`);
    return cable;
  }
}
