import { join, relative, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_FILE_NAME_LENGTH, fileNameFault, numberedName, printable } from './file-name.ts';

describe('names from elsewhere', () => {
  test.each(['photo.jpg', 'a', 'with space.txt', 'x..y', 'müsli (1).tar.gz', '日本.txt', 'n'.repeat(255)])('%j is taken', (name) => {
    expect(fileNameFault(name, 'linux')).toBeUndefined();
  });

  test.each([
    ['', 'empty'],
    ['.', 'dot'],
    ['..', 'dot'],
    ['../etc/passwd', 'separator'],
    ['/etc/passwd', 'separator'],
    ['a/b', 'separator'],
    ['..\\x', 'separator'],
    ['.bashrc', 'dot'],
    ['a\0b', 'control'],
    ['a\nb', 'control'],
    ['\u001b[2Jx', 'control'],
    ['\u009bx', 'control'],
    ['gpj.\u202eexe', 'control'],
    ['n'.repeat(256), 'longer'],
    ['ü'.repeat(128), 'longer'],
  ])('%j is not', (name, why) => {
    expect(fileNameFault(name, 'linux')).toContain(why);
  });

  test.each(['nul', 'COM1.txt', 'a:b', 'x.', 'a?'])('%j is not on Windows', (name) => {
    expect(fileNameFault(name, 'win32')).toBeDefined();
    expect(fileNameFault(name, 'linux')).toBeUndefined();
  });

  test('whatever is taken stays in its directory, numbered or not', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.nat({ max: 12 }), (name, number) => {
        if (fileNameFault(name) !== undefined) return;
        const directory = resolve('/somewhere/safe');
        const inside = relative(directory, join(directory, numberedName(name, number) as string));
        expect(inside).not.toBe('');
        expect(inside.includes('/') || inside === '..').toBe(false);
      }),
    );
  });
});

describe('numbered names', () => {
  test.each([
    ['a.txt', 0, 'a.txt'],
    ['a.txt', 1, 'a (1).txt'],
    ['noext', 2, 'noext (2)'],
    ['a.tar.gz', 3, 'a.tar (3).gz'],
  ])('%s, %d: %s', (name, number, expected) => {
    expect(numberedName(name, number)).toBe(expected);
  });

  test('are never too long for a file system', () => {
    expect(numberedName('n'.repeat(MAX_FILE_NAME_LENGTH), 1)).toBeUndefined();
  });
});

test('text from elsewhere cannot steer a terminal', () => {
  expect(printable('a\u001b[31mb\u202e')).toBe('a\ufffd[31mb\ufffd');
});
