import { readFile } from 'node:fs/promises';
import { TomlError, parse } from 'smol-toml';
import { CliError } from '../cli-error.ts';
import type { ConfigKey } from './config-key.ts';
import { CONFIG_KEYS, configKey, isSection, namesIn, variableOf } from './config-keys.ts';
import { type ConfigProblem, shown } from './config-problem.ts';
import type { Origin, Setting } from './config.ts';
import { CONFIG_VARIABLE, DATA_VARIABLE } from './folders.ts';

/** What one place sets, and what is wrong there. */
export interface Layer {
  readonly settings: readonly Setting[];
  readonly problems: readonly ConfigProblem[];
}

/** Longer is no configuration. */
const MAX_FILE_LENGTH = 1024 * 1024;

/**
 * The configuration file; undefined where there is none.
 * @throws CliError `config.unreadable`, `config.invalid` where it is no TOML
 */
export async function fileLayer(file: string): Promise<Layer | undefined> {
  let content: string;
  try {
    content = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError('config.unreadable', `cannot read the configuration ${file}: ${(error as Error).message}`, undefined, {
      cause: error,
    });
  }
  return tomlLayer(content, { kind: 'file', file });
}

/** What TOML says, wherever it stands. @throws CliError `config.invalid` where it is none */
export function tomlLayer(content: string, origin: Origin & { readonly kind: 'file' }): Layer {
  if (content.length > MAX_FILE_LENGTH)
    throw new CliError('config.invalid', `${origin.file} has ${content.length} characters; a configuration has ${MAX_FILE_LENGTH} at most`);
  let document: object;
  try {
    document = parse(content);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw new CliError(
      'config.invalid',
      `${origin.file}:${error.line}:${error.column}: this is no TOML: ${what}`,
      'the format is described at https://toml.io',
      {
        cause: error,
      },
    );
  }
  const layer = { settings: [] as Setting[], problems: [] as ConfigProblem[] };
  readSection(document, '', origin, layer);
  return layer;
}

function readSection(section: object, path: string, origin: Origin, layer: { settings: Setting[]; problems: ConfigProblem[] }): void {
  for (const [name, value] of Object.entries(section) as [string, unknown][]) {
    const inner = path === '' ? name : `${path}.${name}`;
    if (configKey(inner) !== undefined) layer.settings.push({ path: inner, value, origin });
    else if (isSection(inner)) {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) readSection(value, inner, origin, layer);
      else layer.problems.push({ origin, message: `${inner}: must be a section with ${namesIn(inner).join(', ')}, not ${shown(value)}` });
    } else layer.problems.push({ origin, message: unknownKey(inner, path) });
  }
}

/** The value is not shown: whoever writes a secret into the wrong place has it in no log. */
function unknownKey(path: string, section: string): string {
  return `${path}: unknown, known ${section === '' ? 'here' : `in ${section}`} are ${namesIn(section).join(', ')}`;
}

/** Variables that begin as ours do and are none of the configuration. */
const OTHER_VARIABLES: readonly string[] = [CONFIG_VARIABLE, DATA_VARIABLE];

/** What the environment says, `MATRYOSHKA_RELAY_ENABLED=true` for `relay.enabled`. */
export function environmentLayer(environment: NodeJS.ProcessEnv): Layer & { readonly unknown: readonly string[] } {
  const settings: Setting[] = [];
  const known = new Set(OTHER_VARIABLES);
  for (const key of CONFIG_KEYS) {
    const variable = variableOf(key);
    known.add(variable);
    const text = environment[variable];
    if (text !== undefined) settings.push({ path: key.path, value: valueOfText(key, text), origin: { kind: 'environment', variable } });
  }
  const unknown = Object.keys(environment).filter((name) => name.startsWith('MATRYOSHKA_') && !known.has(name));
  return { settings, problems: [], unknown };
}

/** What flags say: those of commands, each for a key, and `--set path=value`. */
export function flagLayer(flags: readonly { readonly path: string; readonly value: unknown; readonly flag: string }[]): Layer {
  return { settings: flags.map(({ path, value, flag }) => ({ path, value, origin: { kind: 'flag', flag } })), problems: [] };
}

/** `path=value` of `--set`. @throws TypeError that says what is wrong with it */
export function parseAssignment(assignment: string): { readonly path: string; readonly value: unknown } {
  const [, path, text] = /^([^=]+)=(.*)$/s.exec(assignment) ?? [];
  if (path === undefined || text === undefined) throw new TypeError('Expected key=value, as relay.enabled=true.');
  const key = configKey(path.trim());
  if (key === undefined) {
    const section = path.trim().split('.').slice(0, -1).join('.');
    throw new TypeError(unknownKey(path.trim(), isSection(section) ? section : ''));
  }
  return { path: key.path, value: valueOfText(key, text) };
}

/** A value written as text: as TOML where the key takes that, else as it stands, or as a list with commas. */
function valueOfText({ schema }: ConfigKey, text: string): unknown {
  const list = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  const candidates = [tomlValue(text), text, list];
  return candidates.find((value) => value !== undefined && schema.safeParse(value).success) ?? tomlValue(text) ?? text;
}

function tomlValue(text: string): unknown {
  try {
    return parse(`value = ${text}\n`).value;
  } catch {
    return undefined;
  }
}
