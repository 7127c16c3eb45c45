import { InvalidArgumentError, Option } from 'commander';

/** An argument parser that refuses what `parse` throws on, as wrong usage. */
export function checked(parse: (value: string) => unknown): (value: string) => string {
  return (value) => {
    try {
      parse(value);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
    return value;
  };
}

/** A flag that may be given several times. */
export function repeated(flags: string, description: string, parse: (value: string) => unknown): Option {
  const check = checked(parse);
  return new Option(flags, `${description}; may be repeated`)
    .default([], 'none')
    .argParser((value, before: readonly string[]) => [...before, check(value)]);
}
