import { connect } from 'node:net';
import type { Endpoint } from '@matryoshka/node';

const CONNECT_TIMEOUT_MS = 3_000;

/** Whether something accepts TCP connections there: undefined, or why not. */
export function canConnect({ host, port }: Endpoint): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const done = (problem: string | undefined): void => {
      socket.destroy();
      resolve(problem);
    };
    socket.on('connect', () => done(undefined));
    socket.on('timeout', () => done('no answer'));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done(error.code === 'ECONNREFUSED' ? 'nobody listens there' : (error.code ?? error.message)),
    );
  });
}
