import { type NodeOptions, type ParsedOptions, nodeOptionProblems, parseNodeOptions } from '@matryoshka/node';
import type { ConfigKey } from './config-key.ts';
import { CONFIG_KEYS, configKey } from './config-keys.ts';
import { type ConfigProblem, invalidConfig, shown } from './config-problem.ts';
import type { Folders } from './folders.ts';

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string }
  /** Peers that were joined: they are in a file of their own beside those of the configuration. */
  | { readonly kind: 'joined'; readonly file: string };

/** A value that was set somewhere. */
export interface Setting {
  readonly path: string;
  readonly value: unknown;
  readonly origin: Origin;
}

/** The options of a node that stand in a configuration: they are data. */
export type ConfiguredOptions = Omit<NodeOptions, 'transports' | 'identity' | 'networkKey' | 'provider' | 'clock' | 'random'>;

const DEFAULT: Origin = { kind: 'default' };
/** What the options of a node are checked with; nothing is dialled or listened on. */
const NO_TRANSPORT: readonly unknown[] = [() => ({})];

/** An effective configuration: every key with its value, and where that comes from. */
export class Config {
  readonly folders: Folders;
  readonly #settings: ReadonlyMap<string, Setting>;
  readonly #defaults: unknown;

  /**
   * @param settings - by path; later ones win
   * @param problems - what is wrong with them so far
   * @throws CliError `config.invalid` that names each key, its value and what is allowed
   */
  constructor(folders: Folders, settings: readonly Setting[], problems: readonly ConfigProblem[] = []) {
    this.folders = folders;
    this.#settings = new Map(settings.map((setting) => [setting.path, setting]));
    const found = [...problems, ...[...this.#settings.values()].flatMap(typeProblem)];
    // What has the wrong type has been said; the node would say it again.
    if (found.length === 0) found.push(...this.#optionProblems());
    if (found.length > 0) throw invalidConfig(found);
    this.#defaults = parseNodeOptions({ transports: NO_TRANSPORT });
  }

  get<T>(key: ConfigKey<T>): T {
    return this.setting(key).value as T;
  }

  /** The value of a key and where it comes from; undefined where there is none, not even by default. */
  setting(key: ConfigKey): Setting {
    const value = key.nodeOption ? valueAt(this.#defaults, key.path) : key.initial?.(this.folders);
    return this.#settings.get(key.path) ?? { path: key.path, value, origin: DEFAULT };
  }

  /** All keys. */
  all(): readonly Setting[] {
    return CONFIG_KEYS.map((key) => this.setting(key));
  }

  /** What was set of the options of the node, in the form it takes them. */
  nodeOptions(): ConfiguredOptions {
    const options: Record<string, unknown> = {};
    for (const { path, value } of this.#settings.values()) {
      if (configKey(path)?.nodeOption === true) setAt(options, path.split('.'), value);
    }
    return options;
  }

  /** All options of the node, with every default filled in. */
  effectiveNodeOptions(): ParsedOptions {
    return parseNodeOptions({ ...this.nodeOptions(), transports: NO_TRANSPORT });
  }

  /** This configuration, with what is live of `other`. */
  withLiveOf(other: Config): Config {
    const live = (settings: ReadonlyMap<string, Setting>, want: boolean): readonly Setting[] =>
      [...settings.values()].filter(({ path }) => (configKey(path)?.live === true) === want);
    return new Config(this.folders, [...live(this.#settings, false), ...live(other.#settings, true)]);
  }

  /** The keys whose values differ in `other`. */
  changesTo(other: Config): readonly ConfigKey[] {
    return CONFIG_KEYS.filter((key) => JSON.stringify(this.get(key)) !== JSON.stringify(other.get(key)));
  }

  #optionProblems(): readonly ConfigProblem[] {
    return nodeOptionProblems({ ...this.nodeOptions(), transports: NO_TRANSPORT }).map(({ path, message }) => ({
      origin: this.#originOf(path),
      message,
    }));
  }

  /** Of a value, or of something in it. */
  #originOf(path: string): Origin {
    const parts = path.split('.');
    for (let length = parts.length; length > 0; length--) {
      const setting = this.#settings.get(parts.slice(0, length).join('.'));
      if (setting !== undefined) return setting.origin;
    }
    return DEFAULT;
  }
}

function typeProblem({ path, value, origin }: Setting): readonly ConfigProblem[] {
  const result = configKey(path)?.schema.safeParse(value);
  return (result?.error?.issues ?? []).slice(0, 1).map((issue) => ({
    origin,
    message: `${[path, ...issue.path].join('.')}: ${issue.message}, not ${shown(valueAt(value, issue.path.join('.')))}`,
  }));
}

/** The value at `path`, e.g. `relay.enabled`. */
export function valueAt(value: unknown, path: string): unknown {
  if (path === '') return value;
  let current = value;
  for (const name of path.split('.')) {
    if (typeof current !== 'object' || current === null) return undefined;
    current = (current as Record<string, unknown>)[name];
  }
  return current;
}

function setAt(target: Record<string, unknown>, [name = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const inner = (target[name] ??= {}) as Record<string, unknown>;
  setAt(inner, rest, value);
}
