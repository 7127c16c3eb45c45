import type { Origin } from './config.ts';
import { CliError } from '../cli-error.ts';

/** Something in the configuration that cannot be. */
export interface ConfigProblem {
  readonly origin: Origin;
  /** Names the key, what is allowed, and what it was. */
  readonly message: string;
}

/** Where a value comes from, for people. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case 'default':
      return 'default';
    case 'file':
      return origin.file;
    case 'environment':
      return `environment variable ${origin.variable}`;
    case 'flag':
      return `flag ${origin.flag}`;
    case 'joined':
      return `${origin.file}, written by join`;
  }
}

/** All problems at once, each with the place it is in. */
export function invalidConfig(problems: readonly ConfigProblem[]): CliError {
  const lines = problems.map(({ origin, message }) => (origin.kind === 'default' ? message : `${originText(origin)}: ${message}`));
  return new CliError(
    'config.invalid',
    lines.length === 1 ? `invalid configuration: ${lines[0]}` : `invalid configuration:\n  ${lines.join('\n  ')}`,
    'matryoshka config keys lists what can be configured',
  );
}

/** A value as an error shows it: on one line, and no longer than that. */
export function shown(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
