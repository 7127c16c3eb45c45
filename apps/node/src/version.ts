import { readFileSync } from 'node:fs';

/** Of this package. */
export const VERSION: string = readVersion();

function readVersion(): string {
  // One level up from the sources and from the build.
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string };
  return manifest.version;
}
