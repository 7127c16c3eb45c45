import { bech32m } from '@scure/base';
import { MatryoshkaError } from '@matryoshka/wire';

/** Length of such a text in characters: prefix, separator, 52 of the bytes, 6 of the checksum. */
export const KEY_TEXT_LENGTH = 62;

/** What a text stands for. */
export interface KeyTextKind {
  /** Three letters that it begins with, before the separator `1`. */
  readonly prefix: string;
  /** For people, e.g. `peer id`. */
  readonly name: string;
}

// The alphabet of Bech32 (BIP 173): without 1, b, i and o.
const DATA = /^[02-9ac-hj-np-z]*$/;
const BYTES_LENGTH = 32;

/** 32 bytes as text of 62 characters with a checksum: Bech32m (BIP 350). */
export function encodeKeyText({ prefix }: KeyTextKind, bytes: Uint8Array): string {
  return bech32m.encode(prefix, bech32m.toWords(bytes), KEY_TEXT_LENGTH);
}

/** The 32 bytes of a text, newly allocated. @throws MatryoshkaError `session.identity-invalid` saying what is wrong with it */
export function decodeKeyText({ prefix, name }: KeyTextKind, text: string): Uint8Array {
  const refuse = (what: string): never => {
    throw new MatryoshkaError(
      'session.identity-invalid',
      `${JSON.stringify(text.slice(0, KEY_TEXT_LENGTH + 8))} is not a ${name}: ${what}`,
    );
  };
  if (!text.startsWith(`${prefix}1`)) refuse(`it must begin with ${prefix}1`);
  if (text.length !== KEY_TEXT_LENGTH) refuse(`it must have ${KEY_TEXT_LENGTH} characters, not ${text.length}`);
  if (!DATA.test(text.slice(prefix.length + 1))) refuse(`it has a character that no ${name} has`);
  const decoded = bech32m.decodeUnsafe(text, KEY_TEXT_LENGTH) ?? refuse('the checksum is wrong, so it is mistyped');
  const bytes = bech32m.fromWordsUnsafe(decoded.words);
  return bytes instanceof Uint8Array && bytes.length === BYTES_LENGTH ? bytes : refuse(`it does not hold ${BYTES_LENGTH} bytes`);
}
