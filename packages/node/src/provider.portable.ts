import { type CryptoProvider, portableProvider } from '@matryoshka/session';

/** The crypto provider of any platform. */
export const platformProvider: CryptoProvider = portableProvider;

/** Browsers do not resolve names for their pages. */
export const resolveHost: ((host: string) => Promise<string>) | undefined = undefined;
