import { writeFileSync } from 'node:fs';
import { REFERENCES } from './references.ts';

// Writes the documents that follow from definitions in the code.
const texts = await Promise.all(REFERENCES.map(async ({ file, text }) => ({ file, text: await text() })));
for (const { file, text } of texts) writeFileSync(file, text);
