import type { ConfigKey } from '../config/config-key.ts';
import { CONFIG_KEYS, variableOf } from '../config/config-keys.ts';
import { Config } from '../config/config.ts';

const HEAD = `# Configuration

Every key of \`config.toml\`, from the table in the code (\`pnpm reference\` writes this file; a test says when it is out of date).
\`matryoshka config show\` checks a configuration and shows where each value comes from: flags win over the environment, that over the
file, that over the default. A key of the table \`[relay]\` is written \`relay.enabled\` here, \`MATRYOSHKA_RELAY_ENABLED\` in the
environment, and \`--set relay.enabled=true\` as a flag. *Live* keys change with SIGHUP or \`matryoshka config reload\`, the others with
the next start or \`config reload --restart\`. Secrets are in files of mode 0600, never in here.
`;

/** Stands for the data folder of whoever reads this. */
const DATA = '$DATA';

/** The reference of the configuration, in Markdown. */
export function configReference(): string {
  const config = new Config({ configFile: `${DATA}/config.toml`, data: DATA }, []);
  const sections = Map.groupBy(CONFIG_KEYS, ({ path }) => path.split('.').slice(0, -1).join('.'));
  const texts = [...sections].map(([section, keys]) => `## ${section === '' ? 'Top level' : `[${section}]`}\n\n${table(config, keys)}\n`);
  return [HEAD, ...texts].join('\n');
}

function table(config: Config, keys: readonly ConfigKey[]): string {
  const lines = keys.map((key) => {
    const { value } = config.setting(key);
    const initial = value === undefined ? '' : `\`${JSON.stringify(value)}\``;
    return `| \`${key.path}\` | ${initial} | ${key.live ? 'yes' : ''} | \`${variableOf(key)}\` | ${key.about} |`;
  });
  return ['| key | default | live | variable | what |', '|---|---|---|---|---|', ...lines].join('\n');
}
