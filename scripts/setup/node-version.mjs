import { UserError } from '../terminal/user-error.mjs';

const OLDEST = /** @type {const} */ ([20, 19]);

/** @param {string} [version] without a v */
export function assertNodeVersion(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new UserError(
    `Spillway needs Node.js ${OLDEST.join('.')} or newer, this is ${version}. Install a newer one, for example with nvm install.`,
  );
}
