import { extname } from 'node:path';

/** Longest file name of common file systems, in bytes of UTF-8. */
export const MAX_FILE_NAME_LENGTH = 255;

// Control characters could rewrite what a terminal shows; bidirectional ones show a name as another one.
const CONTROL = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
// Windows: devices, with any extension, and characters that mean something there, e.g. a stream of another file.
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)/i;
const WINDOWS_SPECIAL = /[<>:"|?*]|[. ]$/;

/** What makes a name that came from elsewhere unfit for a file in one's own directory; undefined where nothing does. */
export function fileNameFault(name: string, platform: string = process.platform): string | undefined {
  if (name === '') return 'it is empty';
  if (Buffer.byteLength(name) > MAX_FILE_NAME_LENGTH) return `it is longer than ${MAX_FILE_NAME_LENGTH} bytes`;
  if (/[/\\]/.test(name)) return 'it holds a path separator';
  if (CONTROL.test(name)) return 'it holds control characters';
  if (name.startsWith('.')) return 'it begins with a dot';
  if (platform !== 'win32') return undefined;
  if (WINDOWS_SPECIAL.test(name)) return 'it holds a character that Windows does not allow there';
  return WINDOWS_DEVICE.test(name) ? 'it is the name of a device' : undefined;
}

/** `name` itself for 0, then `name (1).ext`, `name (2).ext`, …; undefined where that is too long. */
export function numberedName(name: string, number: number): string | undefined {
  if (number === 0) return name;
  const extension = extname(name);
  const numbered = `${name.slice(0, name.length - extension.length)} (${number})${extension}`;
  return Buffer.byteLength(numbered) > MAX_FILE_NAME_LENGTH ? undefined : numbered;
}

/** Text that came from elsewhere, fit for a terminal: control characters are replaced. */
export function printable(text: string): string {
  return text.replace(new RegExp(CONTROL, 'gu'), '\ufffd');
}
