import { type ConfigKey, appKey, flag, parsed } from '../config/config-key.ts';
import type { Config } from '../config/config.ts';
import { destination } from '../node-flags.ts';
import type { ForwardSettings } from './forward.ts';
import { type ServiceEntry, exitRules, forwardsShape, loopbackPort, peerList, servicesShape } from './service-options.ts';
import type { SocksSettings } from './socks/socks-proxy.ts';
import { wayShape } from './way.ts';

/** What is configured of services. All of it changes live. */

const LIVE = { live: true } as const;

export const SERVICES: ConfigKey<ServiceEntry[]> = appKey(
  'services',
  servicesShape,
  () => [],
  'TCP services offered to peers, [[services]] with name, target (host:port) and allow (peer ids, or "*").',
  LIVE,
);

export const FORWARDS: ConfigKey<ForwardSettings[]> = appKey(
  'forwards',
  forwardsShape,
  () => [],
  'Local ports that lead to services of peers, [[forwards]] with listen, peer, service, and hops or path.',
  LIVE,
);

export const SOCKS_LISTEN: ConfigKey<string | undefined> = appKey(
  'socks.listen',
  loopbackPort.optional(),
  () => undefined,
  'Loopback address and port of a SOCKS5 proxy to services of peers, <service>.<peer id>.',
  LIVE,
);

export const SOCKS_EXIT: ConfigKey<string | undefined> = appKey(
  'socks.exit',
  parsed(destination).optional(),
  () => undefined,
  'Peer that the proxy reaches ordinary hosts through; without it, it reaches none.',
  LIVE,
);

export const SOCKS_HOPS: ConfigKey<number | undefined> = appKey(
  'socks.hops',
  wayShape.hops,
  () => undefined,
  'Hops that the proxy reaches peers over, which relays choose.',
  LIVE,
);

export const SOCKS_PATH: ConfigKey<string[] | undefined> = appKey(
  'socks.path',
  wayShape.path,
  () => undefined,
  'Peers that the proxy telescopes through, peerId@host:port each.',
  LIVE,
);

export const SOCKS_ANONYMOUS: ConfigKey<boolean> = appKey(
  'socks.anonymous',
  flag,
  () => false,
  'Whether the proxy shows peers no identity: then it reaches services for everybody only.',
  LIVE,
);

export const EXIT_ALLOW: ConfigKey<string[]> = appKey(
  'exit.allow',
  exitRules,
  () => [],
  'Ordinary hosts that peers are connected to, as example.com:443, *.example.com:*, 10.0.0.0/8:22 or *:80,443; none: this is no exit.',
  LIVE,
);

export const EXIT_PEERS: ConfigKey<string[]> = appKey(
  'exit.peers',
  peerList,
  () => [],
  'Peers that may use this exit, by id, or "*".',
  LIVE,
);

export const SERVICE_KEYS: readonly ConfigKey[] = [
  SERVICES,
  FORWARDS,
  SOCKS_LISTEN,
  SOCKS_EXIT,
  SOCKS_HOPS,
  SOCKS_PATH,
  SOCKS_ANONYMOUS,
  EXIT_ALLOW,
  EXIT_PEERS,
] as readonly ConfigKey[];

/** The proxy of the configuration, if there is one. */
export function socksSettingsOf(config: Config): SocksSettings | undefined {
  const listen = config.get(SOCKS_LISTEN);
  if (listen === undefined) return undefined;
  const [exit, hops, path] = [config.get(SOCKS_EXIT), config.get(SOCKS_HOPS), config.get(SOCKS_PATH)];
  return {
    listen,
    ...(exit !== undefined && { exit }),
    ...(hops !== undefined && { hops }),
    ...(path !== undefined && { path }),
    anonymous: config.get(SOCKS_ANONYMOUS),
  };
}
