import { CliError } from '../cli-error.ts';
import type { ServerEvent } from '../control/route.ts';
import type { Daemon } from '../daemon/daemon.ts';
import { ReceiveFiles } from '../daemon/receive-files.ts';

/** What there is to hear of files that come in. */
const FILE_EVENTS: ReadonlySet<string> = new Set(['receiving', 'progress', 'received', 'receive-failed']);

export interface ReceiveRequest {
  /** Folder that they go into; undefined: the one of the configuration. */
  readonly into?: string | undefined;
  readonly from: readonly string[];
}

/**
 * Receives files for somebody who hears of them, until `signal` aborts; then none is taken any more.
 * @throws CliError `file.directory`, `files.taken` where they go somewhere else already, `files.nowhere`
 */
export async function* receiveFor(daemon: Daemon, { into, from }: ReceiveRequest, signal: AbortSignal): AsyncGenerator<ServerEvent, void> {
  const files = daemon.features.find((feature) => feature instanceof ReceiveFiles);
  if (files === undefined) throw new CliError('files.nowhere', 'this node receives no files');
  const { last } = daemon.events;
  const release = await files.receiveInto(into, from);
  try {
    yield { event: 'ready', data: { event: 'ready', into: files.into } };
    for await (const { number, event } of daemon.events.read(last, signal)) {
      if ('event' in event && FILE_EVENTS.has(event.event)) yield { id: number, event: event.event, data: event };
    }
  } finally {
    await release();
  }
}
