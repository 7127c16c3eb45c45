import { configKey } from './config-keys.ts';
import { originText } from './config-problem.ts';
import type { Setting } from './config.ts';

/** A setting as it is told: no value of ours is a secret, secrets are in files. */
export interface ShownSetting {
  readonly path: string;
  readonly value: unknown;
  readonly origin: string;
  readonly live: boolean;
  readonly about: string;
}

export function showSetting({ path, value, origin }: Setting): ShownSetting {
  const key = configKey(path);
  return { path, value: value ?? null, origin: originText(origin), live: key?.live === true, about: key?.about ?? '' };
}
