import { defineConfig } from 'vite';

export default defineConfig({
  // The page is served at the root of whatever address the control API has.
  base: './',
  build: {
    outDir: '../node/dashboard',
    emptyOutDir: true,
    target: 'es2022',
    // The content security policy allows nothing inline.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
