import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/**
 * Carries bytes between two streams in both directions until both have ended; an end of one direction is passed on, the
 * other one goes on. Where one fails the other is destroyed with its error.
 * @throws why it did not end in order
 */
export async function splice(one: Duplex, other: Duplex): Promise<void> {
  try {
    await Promise.all([pipeline(one, other), pipeline(other, one)]);
  } catch (error) {
    one.destroy(error as Error);
    other.destroy(error as Error);
    throw error;
  }
}
