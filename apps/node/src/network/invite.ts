import { createHash } from 'node:crypto';
import { formatEndpoint, parseEndpoint } from '@matryoshka/node';
import { type PeerId, peerHash, peerIdFromHash } from '@matryoshka/session';
import { CliError } from '../cli-error.ts';

/** What somebody needs to join a network through one of its nodes. */
export interface Invite {
  readonly peerId: PeerId;
  /** Where the node is, the best place first. */
  readonly endpoints: readonly string[];
  /** Of the closed network; undefined in an open one. */
  readonly networkKey?: Uint8Array;
  /** Of a hidden node, 32 bytes. */
  readonly staticKey?: Uint8Array;
}

const PREFIX = 'matryoshka-invite-';
const VERSION = 1;
const HASH_LENGTH = 32;
const STATIC_KEY_LENGTH = 32;
const CHECKSUM_LENGTH = 4;
const HAS_STATIC_KEY = 1;
/** An invite is a line. */
const MAX_TEXT_LENGTH = 2_000;
const MAX_ENDPOINTS = 8;

/**
 * An invite as one line of text: a prefix, then base64url of
 *
 * | offset | length | field |
 * |---|---|---|
 * | 0 | 1 | version, 1 |
 * | 1 | 1 | flags: 1 static key |
 * | 2 | 32 | hash of the peer id |
 * | 34 | 32 | static key, if flagged |
 * | | 1 | length of the network key, 0 for an open network |
 * | | n | network key |
 * | | n | endpoints, UTF-8, a space between two |
 * | -4 | 4 | first bytes of the SHA-256 of all before |
 */
export function encodeInvite({ peerId, endpoints, networkKey, staticKey }: Invite): string {
  const key = networkKey ?? new Uint8Array();
  if (key.length > 255) throw new RangeError(`a network key in an invite has 255 bytes at most, not ${key.length}`);
  const body = Buffer.concat([
    Buffer.of(VERSION, staticKey === undefined ? 0 : HAS_STATIC_KEY),
    peerHash(peerId),
    staticKey ?? new Uint8Array(),
    Buffer.of(key.length),
    key,
    Buffer.from(endpoints.join(' ')),
  ]);
  return `${PREFIX}${Buffer.concat([body, checksum(body)]).toString('base64url')}`;
}

/** @throws CliError `invite.invalid` that says what is wrong with it */
export function parseInvite(line: string): Invite {
  const text = line.trim();
  if (!text.startsWith(PREFIX) || text.length > MAX_TEXT_LENGTH) throw invalid(`it must begin with ${PREFIX}`);
  const encoded = text.slice(PREFIX.length);
  const bytes = Buffer.from(encoded, 'base64url');
  const body = bytes.subarray(0, -CHECKSUM_LENGTH);
  // One text for one invite: the decoder passes over what it does not understand.
  const whole = bytes.toString('base64url') === encoded && checksum(body).equals(bytes.subarray(-CHECKSUM_LENGTH));
  if (bytes.length <= CHECKSUM_LENGTH || !whole) throw invalid('a part of it is missing or was changed');
  if (body[0] !== VERSION) throw invalid(`it is of version ${body[0]}, and this program knows version ${VERSION}`);
  let offset = 2;
  const take = (length: number): Uint8Array => {
    if (offset + length > body.length) throw invalid('it is too short');
    return Uint8Array.from(body.subarray(offset, (offset += length)));
  };
  const hash = take(HASH_LENGTH);
  const staticKey = ((body[1] ?? 0) & HAS_STATIC_KEY) === 0 ? undefined : take(STATIC_KEY_LENGTH);
  const networkKey = take(take(1)[0] ?? 0);
  const endpoints = parseEndpoints(body.subarray(offset).toString('utf8'));
  return {
    peerId: peerIdFromHash(hash),
    endpoints,
    ...(networkKey.length > 0 && { networkKey }),
    ...(staticKey !== undefined && { staticKey }),
  };
}

function parseEndpoints(text: string): readonly string[] {
  try {
    const endpoints = text.split(' ').map((part) => formatEndpoint(parseEndpoint(part)));
    if (endpoints.length <= MAX_ENDPOINTS) return endpoints;
  } catch (error) {
    throw invalid(`an endpoint in it is none: ${(error as Error).message}`);
  }
  throw invalid(`it has more than ${MAX_ENDPOINTS} endpoints`);
}

function checksum(body: Uint8Array): Buffer {
  return createHash('sha256').update(body).digest().subarray(0, CHECKSUM_LENGTH);
}

function invalid(why: string): CliError {
  return new CliError('invite.invalid', `this is no invite: ${why}`, 'copy the whole line that "matryoshka invite" printed');
}
