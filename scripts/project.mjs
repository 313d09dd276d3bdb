import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

/** The root of the checkout, without a slash at the end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Git-ignored folder for everything that the scripts and the apps leave behind. */
export const STATE_DIR = join(ROOT, '.spillway');

/** @param {...string} parts a path from the root */
export const inProject = (...parts) => join(ROOT, ...parts);

/** @param {string} name a program of node_modules */
export const localBin = (name) => inProject('node_modules', '.bin', name);
