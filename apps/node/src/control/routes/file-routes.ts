import { parsePeerId } from '@matryoshka/node';
import * as z from 'zod';
import { parsed } from '../../config/config-key.ts';
import { fileNameFault } from '../../file/file-name.ts';
import { receiveFor } from '../../transfer/receive-for.ts';
import { sendFor } from '../../transfer/send-for.ts';
import { type Route, route } from '../route.ts';
import { eventShape } from '../shapes.ts';

const nameShape = z.string().superRefine((name, context) => {
  const fault = fileNameFault(name);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: `is no name a receiver takes: ${fault}` });
});
const size = z.coerce.number<string>('must be a number of bytes').int().min(0);
const yesOrNo = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Files that go out and come in. */
export const FILE_ROUTES: readonly Route[] = [
  route({
    method: 'POST',
    path: '/v1/files',
    name: 'sendFile',
    summary: 'Sends the body as a file to a peer; tells connecting, connected, progress and sent, and ends with it',
    query: z.strictObject({
      to: z.string().min(1).describe('[peerId@]host:port, a peer id, or peerId@relayPeerId[@host:port]'),
      name: nameShape.describe('of the file, at the receiver'),
      size: size.describe('in bytes: how long the body is'),
      hops: z.coerce.number<string>('must be a number').int().min(1).max(15).optional().describe('relayed over this many hops'),
      path: z
        .string()
        .transform((text) => text.split(','))
        .optional()
        .describe('telescoped through these peers, with commas between them'),
      gateway: z.string().optional().describe('with hops: the first relay'),
      anonymous: yesOrNo.optional().describe('shows no identity'),
      staticKey: z.string().optional().describe('of a hidden peer'),
      unverifiedDestination: yesOrNo.optional().describe('allows a relayed connection to an endpoint without a peer id'),
    }),
    body: 'bytes',
    answer: { type: 'events', schema: eventShape },
    handle: ({ daemon, query: { to, name, size: length, ...options }, message, signal }) =>
      sendFor(daemon.node, { to, name, size: length, content: message as AsyncIterable<Buffer>, options, signal }),
  }),
  route({
    method: 'POST',
    path: '/v1/receive',
    name: 'receiveFiles',
    summary: 'Receives files into a folder as long as somebody reads this answer; tells receiving, progress, received and receive-failed',
    body: z.strictObject({
      into: z.string().min(1).optional().describe('an absolute path; without it: those the configuration has received'),
      from: z.array(parsed(parsePeerId)).default([]).describe('takes files from these peers only'),
    }),
    answer: { type: 'events', schema: eventShape },
    handle: ({ daemon, body, signal }) => receiveFor(daemon, body, signal),
  }),
];
