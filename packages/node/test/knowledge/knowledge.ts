import { peerHash } from '@matryoshka/session';
import { Reader, decodeSelector } from '@matryoshka/wire';
import { type Handed, messagesIn } from './handed.ts';
import { MARK, PROTOCOL, type Stage } from './stage.ts';
import type { Opened } from './witness.ts';

/** What a node has learnt, by the names of those that it knows of. */
export interface Knowledge {
  /** Whose address it was handed, in whatever form. */
  readonly addresses: readonly string[];
  /** Whose identity it was handed: key, hash or text. */
  readonly identities: readonly string[];
  /** Whether it was handed anything of what the two ends say to each other. */
  readonly content: boolean;
  /** Requests that it was handed: hops left, and what the selector of the handshake says. */
  readonly requests: readonly { readonly hopsLeft: number; readonly suite: string; readonly pattern: string }[];
}

/** Everything that `name` was handed, piece by piece; a mark of one byte that is nowhere keeps them apart. */
function everything(stage: Stage, name: string): Buffer {
  const { hosts, opened } = stage.witness(name);
  return Buffer.concat([...opened.map(({ plaintext }) => plaintext), ...[...hosts].map((host) => Buffer.from(`\0${host}\0`))]);
}

/** Forms in which an address may be handed: as text of an endpoint or host, or with its family in front. */
function addressForms(host: string): readonly Uint8Array[] {
  return [Buffer.from(`\0${host}\0`), Buffer.from(`${host}:`), Uint8Array.of(4, ...host.split('.').map(Number))];
}

/** Forms in which an identity may be handed. */
export function identityForms(stage: Stage, name: string): readonly Uint8Array[] {
  const { identity, peerId } = stage.node(name);
  return [identity.publicKey, peerHash(peerId), Buffer.from(peerId)];
}

/** What `name` knows of all others. */
export function knowledgeOf(stage: Stage, name: string): Knowledge {
  const all = everything(stage, name);
  const has = (forms: readonly Uint8Array[]): boolean => forms.some((form) => all.includes(form));
  const others = stage.net.names.filter((other) => other !== name);
  return {
    addresses: others.filter((other) => has(addressForms(stage.net.host(other)))),
    identities: others.filter((other) => has(identityForms(stage, other))),
    content: has([MARK, Buffer.from(PROTOCOL)]),
    requests: messagesOf(stage, name).flatMap(({ message }) => {
      if (message.type !== 'relay-create') return [];
      const { pattern, suite } = decodeSelector(new Reader(message.request));
      return [{ hopsLeft: message.hopsLeft, suite, pattern }];
    }),
  };
}

/** By what was opened, as far as it had come. */
const read = new WeakMap<readonly Opened[], { readonly length: number; readonly messages: readonly Handed[] }>();

/** Every message that a node was handed. */
export function messagesOf(stage: Stage, name: string): readonly Handed[] {
  const { opened } = stage.witness(name);
  let known = read.get(opened);
  if (known?.length !== opened.length) read.set(opened, (known = { length: opened.length, messages: messagesIn(opened) }));
  return known.messages;
}

/** The fields of the messages about relay links that a node was handed, by name, those of a destination one by one. */
export function relayFields(handed: readonly Handed[]): readonly string[] {
  const fields = handed.flatMap(({ message }) => {
    if (!message.type.startsWith('relay-')) return [];
    return Object.entries(message).flatMap(([field, value]: [string, unknown]) => {
      if (field === 'type') return [];
      if (field === 'destination') return Object.keys(value as object).map((part) => `${message.type}: ${field}.${part}`);
      return [`${message.type}: ${field}`];
    });
  });
  return [...new Set(fields)].toSorted();
}
