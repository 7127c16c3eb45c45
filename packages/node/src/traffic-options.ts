import { type Cover, type Padding, TRAFFIC_PRESETS, type TrafficPreset, type TrafficSettings } from '@matryoshka/peer';
import { MAX_RECORD_LENGTH, MIN_RECORD_LENGTH } from '@matryoshka/wire';
import * as z from 'zod';
import { configError } from './config-error.ts';

/** How long records become. */
export type PaddingOption =
  /** As long as what is in them. */
  | 'none'
  /** Up to the next of few lengths: 12 % at most. */
  | 'padme'
  /** Longer by a number of bytes drawn for each, 0 to so many, up to 64,512. */
  | { readonly maxBytes: number }
  /** All of them of one length, 2,048 to 16,384 bytes; asks the other side for the same. */
  | { readonly recordBytes: number };

/** When records go out that nobody needs. */
export type CoverOption =
  | 'none'
  /** At random times with pauses of so many milliseconds on average, 1 or more. Data goes at once. */
  | { readonly meanMs: number }
  /**
   * One record in each interval of so many milliseconds, 0.1 or more, with data in it or without. Needs `recordBytes`. It is all the
   * bandwidth there is: a connection that carries others needs more than they do together.
   */
  | { readonly intervalMs: number };

/**
 * How connections look to those who see their bytes: by name, or each part by itself, as in `standard` where it is left out.
 *
 * | | padding | cover |
 * |---|---|---|
 * | `plain` | none | none |
 * | `standard` | Padmé | none |
 * | `private` | records of 4,096 bytes | at random times, one in 2 s on average |
 */
export type TrafficOption = TrafficPreset | { readonly padding?: PaddingOption; readonly cover?: CoverOption };

/** How the traffic of a connection looks now; ready for JSON. */
export interface TrafficStatus extends TrafficSettings {
  /** Name of the settings, where they have one. */
  readonly preset: TrafficPreset | undefined;
  /** Length of all records of this side, in bytes, on its own account or because the other side asked for it; 0: they have several. */
  readonly recordBytes: number;
}

const PRESET_NAMES = ['plain', 'standard', 'private'] as const satisfies readonly TrafficPreset[];
const MAX_PADDING_BYTES = 64_512;
const MAX_PAUSE_MS = 3_600_000;
const PADDING = `must be none, padme, { maxBytes: 0 to ${MAX_PADDING_BYTES} } or { recordBytes: ${MIN_RECORD_LENGTH} to ${MAX_RECORD_LENGTH} }`;
const COVER = `must be none, { meanMs: 1 to ${MAX_PAUSE_MS} } or { intervalMs: 0.1 to ${MAX_PAUSE_MS} }`;
const TRAFFIC = `must be ${PRESET_NAMES.join(', ')}, or an object with padding and cover`;

function whole(min: number, max: number): z.ZodInt {
  const message = `must be a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

function number(min: number, max: number): z.ZodNumber {
  const message = `must be a number from ${min} to ${max}`;
  return z.number(message).min(min, message).max(max, message);
}

const detailsSchema = z
  .strictObject({
    padding: z
      .union(
        [
          z.enum(['none', 'padme']),
          z.strictObject({ maxBytes: whole(0, MAX_PADDING_BYTES) }),
          z.strictObject({ recordBytes: whole(MIN_RECORD_LENGTH, MAX_RECORD_LENGTH) }),
        ],
        PADDING,
      )
      .default('padme'),
    cover: z
      .union(
        [z.enum(['none']), z.strictObject({ meanMs: number(1, MAX_PAUSE_MS) }), z.strictObject({ intervalMs: number(0.1, MAX_PAUSE_MS) })],
        COVER,
      )
      .default('none'),
  })
  .superRefine(({ padding, cover }, context) => {
    if (typeof cover === 'object' && 'intervalMs' in cover && !(typeof padding === 'object' && 'recordBytes' in padding))
      context.addIssue({
        code: 'custom',
        path: ['cover'],
        message: 'intervalMs needs padding with recordBytes: records of other lengths would show which of them are cover',
      });
  });

/** Of a node, of a connection that is made, of one there is. */
export const trafficSchema: z.ZodType<TrafficOption> = z
  .union([z.enum(PRESET_NAMES), z.looseObject({})], TRAFFIC)
  .superRefine((option, context) => {
    if (typeof option !== 'object') return;
    for (const issue of detailsSchema.safeParse(option).error?.issues ?? []) {
      const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
      if (unknown.length === 0) context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message });
      for (const key of unknown) context.addIssue({ code: 'custom', path: [key], message: 'unknown, known here are padding, cover' });
    }
  }) as z.ZodType<unknown> as z.ZodType<TrafficOption>;

/** The settings that a valid option stands for. */
export function trafficSettings(option: TrafficOption): TrafficSettings {
  if (typeof option === 'string') return TRAFFIC_PRESETS[option];
  const { cover, padding } = TRAFFIC_PRESETS.standard;
  return {
    padding: option.padding === undefined ? padding : paddingOf(option.padding),
    cover: option.cover === undefined ? cover : coverOf(option.cover),
  };
}

/**
 * The settings that an option stands for.
 * @throws MatryoshkaError `config.invalid` that names what is wrong, what is allowed, and what it was
 */
export function parseTraffic(option: unknown): TrafficSettings {
  const result = z.strictObject({ traffic: trafficSchema }).safeParse({ traffic: option });
  if (!result.success) throw configError(result.error, { traffic: option }, {});
  return trafficSettings(result.data.traffic);
}

/** The name of settings, where they have one. */
export function presetOf({ padding, cover }: TrafficSettings): TrafficPreset | undefined {
  const text = JSON.stringify({ padding, cover });
  return PRESET_NAMES.find((name) => JSON.stringify(TRAFFIC_PRESETS[name]) === text);
}

function paddingOf(option: PaddingOption): Padding {
  if (typeof option === 'string') return { kind: option };
  return 'maxBytes' in option ? { kind: 'random', maxBytes: option.maxBytes } : { kind: 'constant', recordLength: option.recordBytes };
}

function coverOf(option: CoverOption): Cover {
  if (typeof option === 'string') return { kind: option };
  return 'meanMs' in option ? { kind: 'random', meanMs: option.meanMs } : { kind: 'constant-rate', intervalMs: option.intervalMs };
}
