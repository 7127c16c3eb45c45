import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MessageType, REASONS, type ReasonCode, isCritical, isNumbered } from '@matryoshka/wire';
import { describe, expect, test } from 'vitest';
import { tableRows } from './markdown.ts';
import { ROOT } from './workspace.ts';

// docs/protocol.md is normative; its tables and the code must not drift apart.
const text = readFileSync(join(ROOT, 'docs', 'protocol.md'), 'utf8');

const hex = (number: number, digits: number): string => `0x${number.toString(16).padStart(digits, '0')}`;
const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

describe('docs/protocol.md', () => {
  test('lists every reason code with its number and kind (§10)', () => {
    const rows = tableRows(text, ['number', 'code', 'kind']);
    const expected = (Object.keys(REASONS) as ReasonCode[]).map((code) => ({
      number: hex(REASONS[code].number, 4),
      code,
      kind: REASONS[code].kind,
    }));
    expect(rows.map(({ number, code, kind }) => ({ number, code, kind }))).toEqual(expected);
  });

  test('lists every message type, which of them are numbered, and which critical (§6)', () => {
    const rows = tableRows(text, ['type', 'message', 'numbered', 'critical']);
    const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
    const expected = Object.entries(MessageType).map(([name, type]) => ({
      type: hex(type, 2),
      message: kebab(name),
      numbered: yesNo(isNumbered(type)),
      critical: yesNo(isCritical(type)),
    }));
    expect(rows.map(({ type, message, numbered, critical }) => ({ type, message, numbered, critical }))).toEqual(expected);
  });
});
