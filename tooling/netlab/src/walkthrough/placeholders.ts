// What a document cannot know stands for itself: `mtk1…home` is the peer id of the machine home, `matryoshka-invite-…` the
// invite that was printed last, and `…` in what a command prints is anything.

const PEER = /mtk1…([A-Za-z][\w-]*)/g;
const INVITE = /matryoshka-invite-[\w-]*…/g;

/** What placeholders stand for. */
export interface Known {
  /** The peer id of a machine. @throws Error where it has none */
  peerId(machine: string): Promise<string>;
  readonly invite: string | undefined;
}

/** A text as somebody types it who knows. @throws Error */
export async function filled(text: string, known: Known): Promise<string> {
  const ids = await idsIn(text, known);
  return text.replaceAll(PEER, (_all, machine: string) => ids.get(machine) as string).replaceAll(INVITE, (all) => known.invite ?? all);
}

/** Whether `actual` is what `expected` says. A line that is nothing but `…` is any number of lines; columns are as wide as they are. */
export async function matches(actual: string, expected: readonly string[], known: Known): Promise<boolean> {
  const text = expected.map((line) => (line.trim() === '…' ? '…' : narrow(line))).join('\n');
  const ids = await idsIn(text, known);
  const pattern = text
    .replaceAll(PEER, (_all, machine: string) => ids.get(machine) as string)
    .split('\n')
    .map((line) =>
      line === '…'
        ? '(?:.*\\n)*'
        : `${line
            .split('…')
            .map((part) => RegExp.escape(part))
            .join('.*')}\\n`,
    )
    .join('');
  return new RegExp(`^${pattern}$`).test(`${actual.trimEnd().split('\n').map(narrow).join('\n')}\n`);
}

async function idsIn(text: string, known: Known): Promise<ReadonlyMap<string, string>> {
  const machines = new Set([...text.matchAll(PEER)].map((match) => match[1] as string));
  return new Map(await Promise.all([...machines].map(async (machine) => [machine, await known.peerId(machine)] as const)));
}

/** Columns depend on the length of what is in them. */
function narrow(line: string): string {
  return line.trimEnd().replaceAll(/ {2,}/g, '  ');
}
