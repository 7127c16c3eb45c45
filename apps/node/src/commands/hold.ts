import { InvalidArgumentError } from 'commander';
import { CliError } from '../cli-error.ts';
import type { ErrorReport } from '../events.ts';
import { type InstanceFlags, clientOf } from '../instance.ts';
import { Interruption } from '../interruption.ts';
import { Output } from '../output.ts';
import type { RouteFlags } from '../route-flags.ts';
import { formatHostPort, parseHostPort } from '../services/service-name.ts';
import type { Way } from '../services/way.ts';

/** A local `port` or `host:port`, for commander. */
export function localPort(value: string): string {
  try {
    return formatHostPort(parseHostPort(/^\d+$/.test(value) ? `127.0.0.1:${value}` : value, { anyPort: true }));
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

/** How the flags say that peers are reached. @throws CliError `usage` for flags that mean nothing here */
export function wayOf({ hops, path, gateway, anonymous, staticKey, unverifiedDestination }: RouteFlags): Way {
  if (staticKey !== undefined || unverifiedDestination !== undefined)
    throw new CliError('usage', 'services are reached at peers whose id is known: name a hidden one as peerId+staticKey@host:port');
  if (typeof hops === 'object') throw new CliError('usage', 'services are reached over one number of hops, no range of them');
  return {
    ...(hops !== undefined && { hops }),
    ...(path !== undefined && { path }),
    ...(gateway !== undefined && { gateway }),
    ...(anonymous !== undefined && { anonymous }),
  };
}

/**
 * Has the running node do something for as long as this command runs, and tells what happens. Nothing is left behind when
 * it ends, however it ends: the node notices that nobody reads any more.
 */
export async function hold(flags: InstanceFlags, path: string, body: object, describe: (place: string) => string): Promise<void> {
  const output = new Output(flags.json === true);
  const client = await clientOf(flags);
  using interruption = new Interruption(false);
  try {
    for await (const { event, data } of client.events('POST', path, { body, signal: interruption.signal })) {
      const details = data as { readonly listen?: string; readonly error?: ErrorReport };
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ event, ...details })}\n`);
      else if (event === 'listening') process.stdout.write(`${describe(String(details.listen))}; Ctrl-C ends it\n`);
      else if (details.error !== undefined) output.note(`not connected: ${details.error.message}`);
    }
    if (interruption.exitCode === undefined)
      throw new CliError('control.lost', 'the node has ended', 'start it again with "matryoshka up", then this command');
  } catch (error) {
    if (interruption.exitCode === undefined) throw error;
  }
  process.exitCode = interruption.exitCode;
}
