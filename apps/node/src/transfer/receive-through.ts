import { resolve } from 'node:path';
import type { ControlClient } from '../control/client.ts';
import type { NamedEvent } from '../events.ts';
import { printable } from '../file/file-name.ts';
import { peerText } from '../node-reporter.ts';
import type { Output } from '../output.ts';
import type { Progress } from '../progress.ts';
import { formatCount } from '../quantities.ts';
import { receivedText } from './sent-text.ts';

export interface ReceiveThroughOptions {
  /** Undefined: the folder of the node's configuration. */
  readonly into: string | undefined;
  readonly from: string | undefined;
  /** Ends after the first file that has arrived whole. */
  readonly once: boolean;
  readonly signal: AbortSignal;
}

/** Receives files through the running node, until `signal` aborts. @throws CliError with the code of whatever went wrong */
export async function receiveThrough(
  client: ControlClient,
  output: Output,
  { into, from, once, signal }: ReceiveThroughOptions,
): Promise<void> {
  const body = { ...(into !== undefined && { into: resolve(into) }), ...(from !== undefined && { from: [from] }) };
  let progress: Progress | undefined;
  try {
    for await (const { data } of client.events('POST', '/v1/receive', { body, signal })) {
      const event = data as NamedEvent | { readonly event: 'ready'; readonly into: string };
      if (event.event === 'ready' && 'into' in event) output.note(`receiving into ${event.into}`);
      else if (event.event === 'receiving') {
        output.event(event);
        output.note(`receiving ${printable(event.name)}, ${formatCount(event.size)} bytes, from ${peerText(event.connection)}`);
        if (!output.json) progress ??= output.progress(`receiving ${printable(event.name)}`, event.size);
      } else if (event.event === 'progress') progress?.update(event.bytes);
      else if (event.event === 'received') {
        progress?.stop();
        progress = undefined;
        output.event(event, receivedText(event));
        if (once) return;
      } else if (event.event === 'receive-failed') {
        progress?.stop();
        progress = undefined;
        output.event(event);
        output.note(`${printable(event.name ?? 'a file')} from ${peerText(event.connection)} was not received: ${event.error.message}`);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress?.stop();
  }
}
