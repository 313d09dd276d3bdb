import { register } from 'node:module';

// node --import: runs TypeScript as jest does, through swc, for programs that a test starts as a process.
register('./typescript-hooks.mjs', import.meta.url);
