export { type NativeProviderOptions, loadNativeProvider } from './provider.ts';
