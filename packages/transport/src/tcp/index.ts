export type { TcpOptions } from './tcp-options.ts';
export { tcp } from './tcp-transport.ts';
