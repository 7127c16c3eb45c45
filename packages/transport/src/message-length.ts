import { MAX_MESSAGE_LENGTH } from './link.ts';

/**
 * Length of one message made of `parts`, in bytes, 1 to 65,535.
 * @throws RangeError for an empty or too long message
 */
export function linkMessageLength(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  if (length === 0 || length > MAX_MESSAGE_LENGTH) throw new RangeError(`a message has 1 to ${MAX_MESSAGE_LENGTH} bytes, not ${length}`);
  return length;
}
