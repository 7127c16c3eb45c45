export { FileDirectory, fileDirectory } from './file-directory.ts';
export { fileGuards } from './file-guards.ts';
