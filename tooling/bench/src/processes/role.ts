/** What a process can be asked by its parent: functions whose arguments and results go through JSON. */
export type Commands<C> = { readonly [Name in keyof C]: (...args: never[]) => unknown };

/** What a process has used so far. */
export interface Usage {
  /** User and system time, in seconds. */
  readonly cpuSeconds: number;
  /** Largest resident set so far, in bytes. */
  readonly maxRssBytes: number;
}

/** Of a process that only keeps other programs: what those have used, by their names. */
export interface ProgramsUsage {
  readonly programs: Readonly<Record<string, Usage>>;
}

/** What every role answers. */
export interface BaseCommands {
  usage(): Usage | ProgramsUsage;
}

/** From the parent. */
export interface Call {
  readonly id: number;
  readonly command: string;
  readonly args: readonly unknown[];
}

/** The answer to a call: `error` where it failed. */
export interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

function ownUsage(): Usage {
  const { user, system } = process.cpuUsage();
  // resourceUsage() counts in KiB.
  return { cpuSeconds: (user + system) / 1e6, maxRssBytes: process.resourceUsage().maxRSS * 1024 };
}

/** Turns this process into one that answers `commands`, until its parent is gone or lets go of it. */
export function serveRole<C extends Commands<C>>(commands: C, usage: BaseCommands['usage'] = ownUsage): void {
  const handlers = new Map<string, (...args: never[]) => unknown>(Object.entries({ ...commands, usage }));
  process.on('message', (call: Call) => void answer(handlers, call));
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C in a terminal, and its end, reach every process of the group; the parent decides what happens then.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
}

async function answer(handlers: ReadonlyMap<string, (...args: never[]) => unknown>, { id, command, args }: Call): Promise<void> {
  let message: Answer;
  try {
    const handler = handlers.get(command);
    if (handler === undefined) throw new RangeError(`no command ${command}`);
    message = { id, value: await handler(...(args as never[])) };
  } catch (error) {
    message = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send?.(message);
}
