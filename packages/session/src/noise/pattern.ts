/** Who spoke first, and who answered. */
export type Role = 'initiator' | 'responder';

/** Diffie-Hellman calculations: the first letter is the initiator's key, the second the responder's (Noise §7.1). */
export type DhToken = 'ee' | 'es' | 'se' | 'ss';

/** Tokens of revision 34 (Noise §7.1, §9.2) and of the KEM extension (Noise HFS §4). */
export type Token = 'e' | 's' | DhToken | 'psk' | 'e1' | 'ekem1';

/** What the two sides send, in order (Noise §7). Messages alternate; the initiator sends the first. */
export interface HandshakePattern {
  /** As in a protocol name, with modifiers: `XXhfs+psk0`. */
  readonly name: string;
  /** Whose static public key the other side knows beforehand (Noise §7.2), in the order in which they are hashed. */
  readonly preMessages: readonly Role[];
  /** The tokens of each message; the initiator's is the first, then in turn. */
  readonly messages: readonly (readonly Token[])[];
}

/** Whose turn message `index` is. */
export function senderOf(index: number): Role {
  return index % 2 === 0 ? 'initiator' : 'responder';
}

/** Whether a token is a Diffie-Hellman calculation. */
export function isDh(token: Token): token is DhToken {
  return token === 'ee' || token === 'es' || token === 'se' || token === 'ss';
}
