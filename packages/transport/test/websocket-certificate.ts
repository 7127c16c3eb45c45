import { generateKeyPairSync, sign } from 'node:crypto';

// No key lies in the repository: each run makes its own, and the certificate (RFC 5280 §4.1), in DER (X.690).

function der(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(contents);
  const { length } = body;
  const header = length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Uint8Array.from(header), body]);
}

const sequence = (...contents: readonly Uint8Array[]): Uint8Array => der(0x30, ...contents);
const set = (...contents: readonly Uint8Array[]): Uint8Array => der(0x31, ...contents);
const integer = (value: number): Uint8Array => der(0x02, Uint8Array.of(value));
const oid = (hex: string): Uint8Array => der(0x06, Uint8Array.fromHex(hex));
const octets = (content: Uint8Array): Uint8Array => der(0x04, content);
const bits = (content: Uint8Array): Uint8Array => der(0x03, Uint8Array.of(0), content);
const ascii = (tag: number, text: string): Uint8Array => der(tag, Buffer.from(text, 'latin1'));
const TRUE = der(0x01, Uint8Array.of(0xff));

const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
const COMMON_NAME = oid('550403');
const BASIC_CONSTRAINTS = oid('551d13');
const SUBJECT_ALT_NAME = oid('551d11');

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

function certificate(): Uint8Array {
  const name = sequence(set(sequence(COMMON_NAME, ascii(0x0c, 'test'))));
  const validity = sequence(ascii(0x17, '200101000000Z'), ascii(0x18, '21200101000000Z'));
  const names = sequence(ascii(0x82, 'localhost'), der(0x87, Uint8Array.of(127, 0, 0, 1)));
  const extensions = sequence(sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE))), sequence(SUBJECT_ALT_NAME, octets(names)));
  const toBeSigned = sequence(
    der(0xa0, integer(2)), // version 3
    integer(1), // serial number
    ECDSA_WITH_SHA256,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  return sequence(toBeSigned, ECDSA_WITH_SHA256, bits(sign('sha256', toBeSigned, privateKey)));
}

/** Self-signed, for localhost and 127.0.0.1; PEM. */
export const TEST_CERT: string = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate()).toString('base64')}\n-----END CERTIFICATE-----\n`;

/** Its key; PEM. */
export const TEST_KEY: string = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
