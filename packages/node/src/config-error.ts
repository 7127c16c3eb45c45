import { MatryoshkaError } from '@matryoshka/wire';
import type * as z from 'zod';

/** The options there are, by the path of the object they are in. */
export type KnownOptions = Readonly<Record<string, readonly string[]>>;

/** An option that is wrong. */
export interface OptionProblem {
  /** Names it, e.g. `relay.enabled`; where it is unknown, the object it is in. */
  readonly path: string;
  /** Names it, says what is allowed, and what it was. */
  readonly message: string;
}

/** The first thing wrong with each option; what follows from it helps nobody. */
export function optionProblems(error: z.ZodError, options: unknown, known: KnownOptions): readonly OptionProblem[] {
  const problems = new Map<string, OptionProblem>();
  for (const issue of error.issues) {
    const path = issue.path.map(String).join('.');
    if (!problems.has(path)) problems.set(path, { path, message: problem(issue, path, options, known) });
  }
  return [...problems.values()];
}

/** `config.invalid` that names each wrong option, what is allowed, and what it was. */
export function configError(error: z.ZodError, options: unknown, known: KnownOptions): MatryoshkaError {
  const messages = optionProblems(error, options, known).map(({ message }) => message);
  return new MatryoshkaError('config.invalid', `invalid options: ${messages.join('; ')}`);
}

function problem(issue: z.core.$ZodIssue, path: string, options: unknown, known: KnownOptions): string {
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.map((key) => (path === '' ? key : `${path}.${key}`));
    return `${keys.join(', ')}: unknown, known here are ${(known[path] ?? []).join(', ')}`;
  }
  if (issue.code === 'invalid_type' && issue.expected === 'object')
    return `${path === '' ? 'options' : path}: must be an object${shown(valueAt(options, issue.path))}`;
  // What is no endpoint says itself what it was; a network key is nobody's business.
  const types = issue.code === 'custom' || path === 'networkKey' ? [] : ['string'];
  return `${path}: ${issue.message}${shown(valueAt(options, issue.path), types)}`;
}

function valueAt(options: unknown, path: readonly PropertyKey[]): unknown {
  let value = options;
  for (const key of path) value = (value as Record<PropertyKey, unknown>)[key];
  return value;
}

/** The value, where it is short and no secret. */
function shown(value: unknown, types: readonly string[] = []): string {
  if (value === undefined) return ', and is missing';
  return value === null || ['number', 'boolean', ...types].includes(typeof value) ? `, not ${JSON.stringify(value)}` : '';
}
