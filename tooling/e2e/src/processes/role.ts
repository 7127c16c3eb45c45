/** What a process can be asked by its parent: functions whose arguments and results go through JSON. */
export type Commands<C> = { readonly [Name in keyof C]: (...args: never[]) => unknown };

/** How often a process tells how it gets on, in milliseconds. */
const REPORT_INTERVAL_MS = 100;

/** What a process has used so far. */
export interface Usage {
  /** User and system time, in seconds. */
  readonly cpuSeconds: number;
  /** Largest resident set so far, in bytes. */
  readonly maxRssBytes: number;
}

/** How a process gets on. */
export interface Report {
  /** Nothing moves there as long as none of them changes. `receivedBytes` are those that have arrived in their place. */
  readonly figures: { readonly receivedBytes?: number; readonly [name: string]: number };
  /** What is going on there, for people. */
  readonly text: string;
}

/** What every role answers. */
export interface BaseCommands {
  usage(): Usage;
}

/** From the parent. */
export interface Call {
  readonly id: number;
  readonly command: string;
  readonly args: readonly unknown[];
}

/** To the parent: the answer to a call (`error` where it failed), how it gets on, or something that happened. */
export type FromProcess =
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: string }
  | { readonly type: 'report'; readonly report: Report }
  | { readonly type: 'event'; readonly value: unknown };

/** Turns this process into one that answers `commands` and tells how it gets on, until its parent is gone or lets go of it. */
export function serveRole<C extends Commands<C>>(commands: C, report: () => Report): void {
  const handlers = new Map<string, (...args: never[]) => unknown>(Object.entries({ ...commands, usage }));
  process.on('message', (call: Call) => void answer(handlers, call));
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal, and its end, reach every process of the group; the parent decides what happens then.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  let last = '';
  setInterval(() => {
    const now = report();
    if (now.text === last) return;
    last = now.text;
    tell({ type: 'report', report: now });
  }, REPORT_INTERVAL_MS).unref();
}

/** Tells the parent that something happened. */
export function emit(value: unknown): void {
  tell({ type: 'event', value });
}

function tell(message: FromProcess): void {
  if (process.connected) process.send?.(message);
}

function usage(): Usage {
  const { user, system } = process.cpuUsage();
  // resourceUsage() counts in KiB.
  return { cpuSeconds: (user + system) / 1e6, maxRssBytes: process.resourceUsage().maxRSS * 1024 };
}

async function answer(handlers: ReadonlyMap<string, (...args: never[]) => unknown>, { id, command, args }: Call): Promise<void> {
  let message: FromProcess;
  try {
    const handler = handlers.get(command);
    if (handler === undefined) throw new RangeError(`no command ${command}`);
    message = { type: 'answer', id, value: await handler(...(args as never[])) };
  } catch (error) {
    message = { type: 'answer', id, error: errorText(error) };
  }
  tell(message);
}

/** With the code of it, where it has one. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${String(error.code)}: ${error.message}` : error.message;
}
