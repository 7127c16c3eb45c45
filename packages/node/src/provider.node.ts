import { lookup } from 'node:dns/promises';
import { loadNativeProvider } from '@matryoshka/native';
import { type CryptoProvider, portableProvider } from '@matryoshka/session';

/** The crypto provider of this platform: native, or portable where the addon does not load. */
export const platformProvider: CryptoProvider = loadNativeProvider() ?? portableProvider;

/** The address of a host name, as the system resolves it. */
export async function resolveHost(host: string): Promise<string> {
  return (await lookup(host)).address;
}
