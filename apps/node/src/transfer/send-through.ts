import type { Readable } from 'node:stream';
import { CliError } from '../cli-error.ts';
import type { ControlClient } from '../control/client.ts';
import type { NamedEvent } from '../events.ts';
import { printable } from '../file/file-name.ts';
import type { OutgoingFile } from '../file/outgoing-file.ts';
import { peerText } from '../node-reporter.ts';
import type { Output } from '../output.ts';
import type { Progress } from '../progress.ts';
import { sentText } from './sent-text.ts';

export interface SendThroughOptions {
  readonly file: OutgoingFile;
  /** The file as it was named, for people. */
  readonly path: string;
  readonly to: string;
  /** How to connect, as the query of the control API says it. */
  readonly route: object;
  readonly signal: AbortSignal;
}

/** Sends a file through the running node. @throws CliError with the code of whatever went wrong */
export async function sendThrough(
  client: ControlClient,
  output: Output,
  { file, path, to, route, signal }: SendThroughOptions,
): Promise<void> {
  const query = new URLSearchParams({ to, name: file.name, size: String(file.size) });
  for (const [name, value] of Object.entries(route) as [string, unknown][])
    query.set(name, Array.isArray(value) ? value.join(',') : String(value));
  const body: Readable = file.stream();
  let progress: Progress | undefined;
  try {
    for await (const { data } of client.events('POST', `/v1/files?${query.toString()}`, { body, bodyLength: file.size, signal })) {
      const event = data as NamedEvent;
      if (event.event === 'connecting') output.event(event);
      else if (event.event === 'connected') {
        output.event(event);
        output.note(`connected to ${peerText(event.connection)} in ${event.seconds.toFixed(2)} s`);
        progress = output.progress(`sending ${printable(file.name)}`, file.size);
      } else if (event.event === 'progress') {
        progress?.update(event.bytes);
        if (output.json) output.event(event);
      } else if (event.event === 'sent') {
        progress?.stop();
        output.event({ ...event, file: path }, sentText(file.name, event));
        return;
      }
    }
    throw new CliError('control.lost', 'the node ended before it had sent the file', 'look at its log');
  } finally {
    progress?.stop();
    body.destroy();
  }
}
