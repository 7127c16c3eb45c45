import { isIPv6 } from 'node:net';
import type { Host, Router, Topology } from '../topology/topology.ts';

// Cables are numbered from 1. Cable 7 has 169.254.7.1 and fe80::7:1 at its upper end, 169.254.7.2 and fe80::7:2 at its lower
// one if that is a router. A host has its own addresses and one way: up.

const UPLINK = 'uplink';
/** What a router falls back to where a cable is pulled: silence, not a message that a host is unreachable. */
const LAST_METRIC = 10_000;

/** From a router to what hangs on it. */
export interface Cable {
  readonly upper: string;
  readonly lower: string;
  readonly upperDevice: string;
  readonly lowerDevice: string;
  /** Shell, at the upper end: connects it, the first time and after it was pulled. */
  readonly plug: string;
  /** Shell, at the upper end: from now on nothing gets through, and nobody is told. */
  readonly unplug: string;
}

/** How a network is made of namespaces. */
export interface Setup {
  readonly cables: readonly Cable[];
  /** Shell, for each namespace, once its cables are there. */
  readonly scripts: ReadonlyMap<string, string>;
}

/** Works out devices, addresses and routes. */
export function setupOf(topology: Topology): Setup {
  const routers = topology.routers.filter(({ above }) => above !== undefined);
  const cables = [...routers, ...topology.hosts].map((lower, index) => cableTo(topology, lower, index + 1));
  const numberOf = (name: string): number => cables.findIndex(({ lower }) => lower === name) + 1;
  const scripts = [
    ...topology.routers.map((router) => [router.name, routerScript(topology, router, numberOf(router.name), cables)] as const),
    ...topology.hosts.map((host) => [host.name, hostScript(host, numberOf(host.name))] as const),
  ];
  return { cables, scripts: new Map(scripts) };
}

function cableTo(topology: Topology, lower: Host | Router, number: number): Cable {
  const device = `cable${number}`;
  const via = (address: string): string => ('addresses' in lower ? '' : ` via ${linkAddress(address, number, 2)} onlink`);
  const plug = [
    `ip link set dev ${device} addrgenmode none up`,
    `ip address replace ${linkAddress('.', number, 1)}/32 dev ${device}`,
    `ip address replace ${linkAddress(':', number, 1)}/64 dev ${device} nodad`,
    ...outsideOf(topology, lower).map((address) => `ip route replace ${address}${via(address)} dev ${device}`),
  ].join('\n');
  const unplug = `ip link set dev ${device} down`;
  return { upper: lower.above as string, lower: lower.name, upperDevice: device, lowerDevice: UPLINK, plug, unplug };
}

/** @param number - of its cable upward; 0: the root has none */
function routerScript(topology: Topology, { name, nat }: Router, number: number, cables: readonly Cable[]): string {
  const below = [...topology.routers, ...topology.hosts].filter(({ above }) => above === name);
  const own = [`${linkAddress('.', number, 2)}/32`, ...(nat === undefined ? [] : [`${nat}/32`])];
  return [
    'ip link set dev lo up',
    'echo 1 > /proc/sys/net/ipv4/ip_forward',
    'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
    ...below.flatMap((lower) => outsideOf(topology, lower)).map((address) => `ip route add blackhole ${address} metric ${LAST_METRIC}`),
    ...(number === 0 ? [] : upward(number, own)),
    ...(nat === undefined ? [] : [natScript(nat)]),
    ...cables.filter(({ upper }) => upper === name).map(({ plug }) => plug),
  ].join('\n');
}

function hostScript({ addresses }: Host, number: number): string {
  const own = addresses.map((address) => `${address}/${isIPv6(address) ? 128 : 32}`);
  return ['ip link set dev lo up', ...upward(number, own)].join('\n');
}

function upward(number: number, own: readonly string[]): readonly string[] {
  return [
    `ip link set dev ${UPLINK} addrgenmode none up`,
    ...[...own, `${linkAddress(':', number, 2)}/64`].map(
      (address) => `ip address add ${address} dev ${UPLINK}${address.includes(':') ? ' nodad' : ''}`,
    ),
    ...['0.0.0.0/0', '::/0'].map((all) => `ip route add ${all} via ${linkAddress(all, number, 1)} dev ${UPLINK} onlink`),
  ];
}

/** What the world sees of a host, or of a router and all below it. */
function outsideOf(topology: Topology, lower: Host | Router): readonly string[] {
  if ('addresses' in lower) return lower.addresses;
  const below = [...topology.routers, ...topology.hosts].filter(({ above }) => above === lower.name);
  const outside = below.flatMap((each) => outsideOf(topology, each));
  // IPv6 addresses are not translated; that connections are made from the inside only holds for them, too.
  return lower.nat === undefined ? outside : [lower.nat, ...outside.filter((address) => isIPv6(address))];
}

/** The address of a cable's end, of the family that `like` is of. */
function linkAddress(like: string, number: number, end: 1 | 2): string {
  return like.includes(':') ? `fe80::${number}:${end}` : `169.254.${number}.${end}`;
}

function natScript(nat: string): string {
  return `nft -f - <<'END'
table ip translation {
  chain postrouting {
    type nat hook postrouting priority srcnat
    oifname "${UPLINK}" snat to ${nat}
  }
}
table inet outward {
  chain forward {
    type filter hook forward priority filter; policy drop
    ct state established,related accept
    iifname != "${UPLINK}" accept
  }
  chain input {
    type filter hook input priority filter
    iifname "${UPLINK}" meta l4proto tcp drop
  }
}
END`;
}
