import { join } from 'node:path';
import { createProgram } from '../program.ts';
import { cliReference } from './cli-reference.ts';
import { configReference } from './config-reference.ts';

const DOCS = join(import.meta.dirname, '..', '..', '..', '..', 'docs');

/** Documents that follow from definitions in the code. */
export const REFERENCES: readonly { readonly file: string; readonly text: () => string | Promise<string> }[] = [
  { file: join(DOCS, 'cli.md'), text: async () => cliReference(await createProgram()) },
  { file: join(DOCS, 'configuration.md'), text: configReference },
];
