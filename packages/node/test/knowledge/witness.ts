import type { Aead, CryptoProvider } from '@matryoshka/session';
import type { Link, Transport, TransportFactory } from '@matryoshka/transport';

/** A plaintext that a node opened. */
export interface Opened {
  readonly atMs: number;
  /** Each key is one direction of one session, or a handshake. */
  readonly key: number;
  /** A record of a session, or what a handshake carries. */
  readonly kind: 'record' | 'handshake';
  readonly plaintext: Uint8Array;
}

/**
 * Writes down everything that the code of one node is handed by others: what it opens, at the seam to its cryptography,
 * and where its links lead, at the seam to its transports. What a node was never handed it cannot know, whatever it keeps.
 */
export class Witness {
  readonly opened: Opened[] = [];
  /** Hosts at the other end of its links. */
  readonly hosts = new Set<string>();
  readonly #now: () => number;
  #keys = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** A provider that shows all that it opens. */
  provider(provider: CryptoProvider): CryptoProvider {
    return { ...provider, aead: (suite, key) => this.#aead(provider.aead(suite, key), ++this.#keys) };
  }

  /** A transport that tells where its links lead. */
  transport(factory: TransportFactory): TransportFactory {
    return (context) => {
      const transport = factory(context);
      const seen = (link: Link): Link => {
        this.hosts.add(link.remote.host);
        return link;
      };
      const watched: Transport = {
        name: transport.name,
        handles: (endpoint) => transport.handles(endpoint),
        dial: async (to, first, options) => seen(await transport.dial(to, first, options)),
        ...(transport.listen && { listen: (on, accept) => transport.listen!(on, (link, first) => accept(seen(link), first)) }),
      };
      return watched;
    };
  }

  #aead(aead: Aead, key: number): Aead {
    const note = (kind: Opened['kind'], plaintext: Uint8Array): void => {
      this.opened.push({ atMs: this.#now(), key, kind, plaintext: plaintext.slice() });
    };
    const { detached } = aead;
    return {
      seal: (nonce, associated, plaintext, out) => aead.seal(nonce, associated, plaintext, out),
      open: (nonce, associated, ciphertext, out) => {
        const { length } = ciphertext;
        const good = aead.open(nonce, associated, ciphertext, out);
        // A handshake authenticates its hash with each message; records have nothing beside themselves (docs/protocol.md §4.2).
        if (good) note(associated.length > 0 ? 'handshake' : 'record', out.subarray(0, length - TAG_LENGTH));
        return good;
      },
      wipe: () => aead.wipe(),
      ...(detached && {
        detached: {
          fromLength: detached.fromLength,
          seal: (nonce: Uint8Array, plaintext: Uint8Array) => detached.seal(nonce, plaintext),
          open: (nonce: Uint8Array, ciphertext: Uint8Array) => {
            const plaintext = detached.open(nonce, ciphertext);
            if (plaintext !== undefined) note('record', plaintext);
            return plaintext;
          },
        },
      }),
    };
  }
}

const TAG_LENGTH = 16;
