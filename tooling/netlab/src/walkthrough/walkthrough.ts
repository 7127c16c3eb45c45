import { fences } from '@matryoshka/checks/markdown';

/** What is typed on one machine before anything else happens. */
export interface Step {
  /** Where it is typed. */
  readonly machine: string;
  /** Line in the document, from 1. */
  readonly line: number;
  readonly commands: readonly string[];
  /** What they print, where the document says so. */
  readonly output?: readonly string[];
}

/** A document that tells what to type on which machine. */
export interface Walkthrough {
  /** Its network, see `parseTopology`. */
  readonly drawing: string;
  readonly steps: readonly Step[];
}

/**
 * Reads a document that is told in the command line: what is typed is a fence of `sh` with lines `# on MACHINE`, each for what
 * stands below it, and what that prints is the fence of `text` after it. The network is drawn in a fence of `text network`;
 * without one each machine is in a network of its own. Undefined where nothing is typed on a machine.
 */
export function parseWalkthrough(markdown: string): Walkthrough | undefined {
  let drawing: string | undefined;
  let typed: readonly Step[] = [];
  const steps: Step[] = [];
  for (const { language, info, line, code } of fences(markdown)) {
    const last = typed.at(-1);
    if (language === 'text' && info === 'network') drawing = code;
    else if (language === 'text' && last !== undefined) steps.splice(-1, 1, { ...last, output: code.trimEnd().split('\n') });
    typed = language === 'sh' ? stepsOf(code, line) : [];
    steps.push(...typed);
  }
  if (steps.length === 0) return undefined;
  return { drawing: drawing ?? apart(new Set(steps.map(({ machine }) => machine))), steps };
}

function stepsOf(code: string, line: number): readonly Step[] {
  return [...code.matchAll(/^# on ([\w-]+)\b.*\n((?:(?!# on ).*\n)*)/gm)].map(([, machine = '', typed = ''], index, all) => ({
    machine,
    line: line + code.slice(0, all[index]?.index).split('\n').length - 1,
    commands: commandsOf(typed),
  }));
}

/** Line by line, those that end with a backslash together with the next one. */
function commandsOf(code: string): readonly string[] {
  return code
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
}

/** Every machine in a network of its own, all of them global ones. */
function apart(machines: ReadonlySet<string>): string {
  return [
    'internet',
    ...[...machines].map((machine, index) => `├─ ${machine} ${[66, 93, 151, 180, 201][index % 5]}.${index + 1}.30.20`),
  ].join('\n');
}
