export { behindFirstMessage, withoutSends } from './begun-link.ts';
export { type LinkContractCase, type LinkContractSubject, type LinkPair, linkContract } from './link-contract.ts';
export { Recorder } from './recorder.ts';
