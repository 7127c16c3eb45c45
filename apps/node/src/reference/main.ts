import { writeFileSync } from 'node:fs';
import { REFERENCES } from './references.ts';

// Writes the documents that follow from definitions in the code.
for (const { file, text } of REFERENCES) writeFileSync(file, text());
