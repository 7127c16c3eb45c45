import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';

/** For how long after the end whoever goes on sending is still read, in milliseconds. */
const LINGER_MS = 1000;

/**
 * Ends a connection on which nothing was said, the same way whatever the reason: what comes is read on meanwhile, because
 * closing with something unread would reset it, and tell that there was one.
 */
export function endSilently(socket: Socket, clock: Clock): void {
  socket.end();
  const timer = clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}
