/**
 * @typedef {{ version?: string, resolved?: string, link?: boolean, optional?: boolean, devOptional?: boolean }} LockEntry
 * @typedef {Record<string, LockEntry>} LockEntries package-lock.json's `packages`: folder to what is in it
 */

/**
 * What is installed otherwise than the lock file says. npm writes the list of what it installed at the very end, so an
 * interrupted installation has none. Optional packages may be missing: they are for other systems.
 * @param {LockEntries} locked
 * @param {LockEntries} installed
 * @returns {string[]} folders
 */
export function differences(locked, installed) {
  const folders = Object.keys(locked).filter((folder) => folder.startsWith('node_modules/'));
  const missingOrOther = folders.filter((folder) => {
    const [wanted, actual] = [locked[folder], installed[folder]];
    if (!actual) return !wanted?.optional;
    return wanted?.version !== actual.version;
  });
  const leftOver = Object.keys(installed).filter((folder) => !(folder in locked));
  return [...missingOrOther, ...leftOver];
}
