export type { NodeWebSocketOptions as WebSocketOptions } from './node-options.ts';
export { websocket } from './node-transport.ts';
