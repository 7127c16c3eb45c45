const UNITS: Readonly<Record<string, number>> = { '': 1, 'B': 1, 'KiB': 2 ** 10, 'MiB': 2 ** 20, 'GiB': 2 ** 30, 'TiB': 2 ** 40 };

/** `64MiB`, `1.5 GiB` or `65536` as a number of bytes. @throws RangeError that names `option` and the text */
export function parseBytes(option: string, text: string): number {
  const [, value, unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]iB|B)?$/.exec(text) ?? [];
  const bytes = Number(value) * (UNITS[unit] as number);
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`${option} takes a number of bytes such as 64MiB or 65536, not ${text}`);
  return bytes;
}

/** `64.0 MiB` */
export function formatBytes(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB'] as const) {
    const size = UNITS[unit] as number;
    if (bytes >= size) return `${(bytes / size).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}

/** `24.1 MB/s`, of 10⁶ bytes each. */
export function formatRate(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
}

/** `2 min 3 s`, `3 s` */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  const whole = Math.ceil(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
