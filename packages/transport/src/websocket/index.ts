export type { WebSocketOptions } from './websocket-options.ts';
export { websocket } from './websocket-transport.ts';
