import { networkInterfaces } from 'node:os';
import { formatEndpoint, parseEndpoint } from '@matryoshka/node';

const MAX_PLACES = 4;

/**
 * Where others may reach a node that listens on `listening`: an address that stands for all of this machine is replaced by
 * the ones it has, loopback left out.
 */
export function reachableAt(listening: readonly string[], addresses: readonly string[] = ownAddresses()): readonly string[] {
  const places = listening.flatMap((text) => {
    const endpoint = parseEndpoint(text);
    if (endpoint.host !== '0.0.0.0' && endpoint.host !== '::') return [endpoint];
    const same = addresses.filter((address) => endpoint.host === '::' || !address.includes(':'));
    return same.map((host) => ({ ...endpoint, host }));
  });
  return [...new Set(places.map(formatEndpoint))].slice(0, MAX_PLACES);
}

/** Addresses of this machine that mean something elsewhere, IPv4 first. */
function ownAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all
    .filter(({ internal, address }) => !internal && !/^fe80:/i.test(address))
    .toSorted((a, b) => Number(a.family !== 'IPv4') - Number(b.family !== 'IPv4'))
    .map(({ address }) => address);
}
