import * as z from 'zod';
import type { Folders } from './folders.ts';

/** One thing that can be configured. */
export interface ConfigKey<T = unknown> {
  /** Sections and name, e.g. `relay.enabled`. That of an option of the node is the option's own path. */
  readonly path: string;
  readonly schema: z.ZodType<T>;
  /** One sentence for people, without the default. */
  readonly about: string;
  /** Whether a change takes effect while the node runs; anything else needs a restart. */
  readonly live: boolean;
  /** Whether it is an option of the node: then the node checks it, and says what it is by default. */
  readonly nodeOption: boolean;
  /** What it is by default, for all that are no options of the node. */
  readonly initial?: (folders: Folders) => T;
}

export interface KeyTraits {
  readonly live?: true;
}

/** An option of the node, by its path there. The node checks its range; the schema is its type. */
export function nodeKey<T>(
  path: string,
  schema: z.ZodType<T>,
  about: string,
  { live = false }: { readonly live?: boolean } = {},
): ConfigKey<T> {
  return { path, schema, about, live, nodeOption: true };
}

/** Something of the daemon's own. */
export function appKey<T>(
  path: string,
  schema: z.ZodType<T>,
  initial: (folders: Folders) => T,
  about: string,
  { live = false }: { readonly live?: boolean } = {},
): ConfigKey<T> {
  return { path, schema, about, live, nodeOption: false, initial };
}

/** Types of values, with errors that say what is allowed. */
export const flag: z.ZodType<boolean> = z.boolean('must be true or false');
export const number: z.ZodType<number> = z.number('must be a number');
export const text: z.ZodType<string> = z.string('must be text');
export const texts: z.ZodType<string[]> = z.array(z.string('must be text'), 'must be a list of texts');

/** A name, or the parts that it stands for. */
export const textOrTable: z.ZodType<string | Record<string, unknown>> = z.union(
  [z.string(), z.record(z.string(), z.unknown())],
  'must be text or a table',
);

export function whole(min: number, max: number): z.ZodType<number> {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

export function oneOf<const Names extends readonly [string, ...string[]]>(names: Names): z.ZodType<Names[number]> {
  return z.enum(names, `must be one of ${names.join(', ')}`);
}

/** Text that `parse` takes; what it throws says what is wrong. */
export function parsed(parse: (value: string) => unknown): z.ZodType<string> {
  return z.string('must be text').superRefine((value, context) => {
    try {
      parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    }
  });
}
