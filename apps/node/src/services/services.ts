import type { MatryoshkaNode } from '@matryoshka/node';
import { CliError } from '../cli-error.ts';
import type { Config } from '../config/config.ts';
import type { Feature, FeatureContext } from '../daemon/feature.ts';
import type { ErrorReport } from '../events.ts';
import { ExitHost, type ExitSettings } from './exit-host.ts';
import { readExposedServices, writeExposedServices } from './exposed-services.ts';
import { Forward, type ForwardEvent, type ForwardSettings } from './forward.ts';
import { PeerLinks } from './peer-links.ts';
import { EXIT_ALLOW, EXIT_PEERS, FORWARDS, SERVICES, socksSettingsOf } from './service-keys.ts';
import { type ServiceEntry, serviceFrom } from './service-options.ts';
import { ServiceHost } from './service-host.ts';
import { SocksProxy, type SocksSettings } from './socks/socks-proxy.ts';

interface Running {
  readonly node: MatryoshkaNode;
  readonly context: FeatureContext;
  readonly links: PeerLinks;
  readonly host: ServiceHost;
  /** Those of commands end with their command, those of the configuration with it. */
  readonly forwards: Set<Forward>;
  readonly proxies: Set<SocksProxy>;
}

/** Services that this node offers and uses: exposed ones, forwards, SOCKS proxies, and being an exit where that is configured. */
export class Services implements Feature {
  readonly name = 'services';
  #running: Running | undefined;
  #exit: { readonly host: ExitHost; readonly settings: ExitSettings } | undefined;
  #configured: readonly ServiceEntry[] = [];
  #exposed: readonly ServiceEntry[] = [];
  /** By what they were configured with. */
  readonly #configuredForwards = new Map<string, Forward>();
  readonly #configuredProxies = new Map<string, SocksProxy>();
  #data: string | undefined;

  async start(context: FeatureContext): Promise<void> {
    const { node, config } = context;
    this.#running = { node, context, links: new PeerLinks(node), host: new ServiceHost(node), forwards: new Set(), proxies: new Set() };
    this.#data = context.keepsData ? config.folders.data : undefined;
    this.#exposed = this.#data === undefined ? [] : await readExposedServices(this.#data);
    await this.reconfigure(config);
  }

  async reconfigure(config: Config): Promise<void> {
    const { node, context, links } = this.#now;
    this.#configured = config.get(SERVICES);
    this.#offer();
    this.#becomeExit(node, { allow: config.get(EXIT_ALLOW), peers: config.get(EXIT_PEERS) });
    const { output } = context;
    await replace(this.#configuredForwards, config.get(FORWARDS), (settings) =>
      Forward.start(links, settings, (event) => {
        if (event.event === 'failed') output.event({ event: 'forward-failed', service: settings.service, error: event.error });
      }),
    );
    const socks = socksSettingsOf(config);
    await replace(this.#configuredProxies, socks === undefined ? [] : [socks], (settings) =>
      SocksProxy.start(links, settings, (error) => output.event({ event: 'socks-failed', error })),
    );
  }

  /** What is offered to peers, with where it was said. */
  get offered(): readonly (ServiceEntry & {
    readonly origin: 'configuration' | 'command';
    readonly open: number;
    readonly connected: number;
  })[] {
    const counts = new Map(this.#now.host.offered.map(({ service, counts: { open, connected } }) => [service.name, { open, connected }]));
    const shown = (origin: 'configuration' | 'command') => (entry: ServiceEntry) => ({
      ...entry,
      origin,
      ...(counts.get(entry.name) ?? { open: 0, connected: 0 }),
    });
    return [...this.#configured.map(shown('configuration')), ...this.#commanded.map(shown('command'))];
  }

  /** Offers a service, also after a restart; one of the same name that a command exposed is replaced. @throws CliError `service.configured`, `file.unwritable` */
  async expose(service: ServiceEntry): Promise<void> {
    if (this.#configured.some(({ name }) => name === service.name))
      throw new CliError(
        'service.configured',
        `the configuration has a service ${service.name} already`,
        'change it there, or choose another name',
      );
    await this.#keep([...this.#exposed.filter(({ name }) => name !== service.name), service]);
  }

  /** Offers it no more; what uses it goes on. @throws CliError `service.unknown`, `service.configured`, `file.unwritable` */
  async unexpose(name: string): Promise<void> {
    if (this.#configured.some((service) => service.name === name))
      throw new CliError(
        'service.configured',
        `the service ${name} stands in the configuration`,
        'take it out there, then: matryoshka reload',
      );
    if (!this.#exposed.some((service) => service.name === name))
      throw new CliError('service.unknown', `no service ${name} is exposed`, 'matryoshka services lists those there are');
    await this.#keep(this.#exposed.filter((service) => service.name !== name));
  }

  /** Starts a forward that lasts until it is ended. @throws CliError `service.listen-failed` */
  async forward(settings: ForwardSettings, tell: (event: ForwardEvent) => void): Promise<Forward> {
    const { links, forwards } = this.#now;
    const forward = await Forward.start(links, settings, tell);
    forwards.add(forward);
    return forward;
  }

  endForward(forward: Forward): void {
    this.#running?.forwards.delete(forward);
    forward.close();
  }

  /** Starts a proxy that lasts until it is ended. @throws CliError `service.listen-failed` */
  async socks(settings: SocksSettings, tell: (error: ErrorReport) => void): Promise<SocksProxy> {
    const { links, proxies } = this.#now;
    const proxy = await SocksProxy.start(links, settings, tell);
    proxies.add(proxy);
    return proxy;
  }

  endSocks(proxy: SocksProxy): void {
    this.#running?.proxies.delete(proxy);
    proxy.close();
  }

  async drain(): Promise<void> {
    await Promise.all([...this.#forwards, ...this.#proxies].map((each) => each.drain()));
  }

  async stop(): Promise<void> {
    for (const each of [...this.#forwards, ...this.#proxies]) each.close();
    this.#configuredForwards.clear();
    this.#configuredProxies.clear();
    this.#exit?.host.close();
    this.#exit = undefined;
    const running = this.#running;
    this.#running = undefined;
    running?.host.close();
    await running?.links.close();
  }

  status(): unknown {
    if (this.#running === undefined) return {};
    return {
      services: this.offered,
      forwards: this.#forwards.map(({ status }) => status),
      socks: this.#proxies.map(({ status }) => status),
      exit: this.#exit === undefined ? null : { ...this.#exit.settings, ...this.#exit.host.counts },
    };
  }

  get #now(): Running {
    if (this.#running === undefined)
      throw new CliError('daemon.restarting', 'the node is not up yet, or any more', 'try again in a moment');
    return this.#running;
  }

  get #forwards(): readonly Forward[] {
    return [...this.#configuredForwards.values(), ...(this.#running?.forwards ?? [])];
  }

  get #proxies(): readonly SocksProxy[] {
    return [...this.#configuredProxies.values(), ...(this.#running?.proxies ?? [])];
  }

  /** What commands exposed and the configuration does not name: it wins. */
  get #commanded(): readonly ServiceEntry[] {
    const names = new Set(this.#configured.map(({ name }) => name));
    return this.#exposed.filter(({ name }) => !names.has(name));
  }

  #offer(): void {
    this.#now.host.offer([...this.#configured, ...this.#commanded].map(serviceFrom));
  }

  async #keep(exposed: readonly ServiceEntry[]): Promise<void> {
    if (this.#data !== undefined) await writeExposedServices(this.#data, exposed);
    this.#exposed = exposed;
    this.#offer();
  }

  #becomeExit(node: MatryoshkaNode, settings: ExitSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#exit?.settings)) return;
    this.#exit?.host.close();
    this.#exit = settings.allow.length === 0 ? undefined : { host: new ExitHost(node, settings), settings };
  }
}

/** Ends what is configured no more, starts what is new, leaves the rest alone. */
async function replace<Settings, Thing extends { close(): void }>(
  running: Map<string, Thing>,
  wanted: readonly Settings[],
  start: (settings: Settings) => Promise<Thing>,
): Promise<void> {
  const keys = new Map(wanted.map((settings) => [JSON.stringify(settings), settings]));
  for (const [key, thing] of running) {
    if (keys.has(key)) continue;
    running.delete(key);
    thing.close();
  }
  for (const [key, settings] of keys) {
    // In order: the first that cannot be started says why.
    // oxlint-disable-next-line no-await-in-loop
    if (!running.has(key)) running.set(key, await start(settings));
  }
}
