import { messageOf, UserError } from '../terminal/user-error.mjs';

const TIMEOUT_MS = 120_000;
const ATTEMPTS = 3;

/** @param {string} url */
export async function download(url) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      return Buffer.from(await response.arrayBuffer());
    } catch (error) {
      if (attempt < ATTEMPTS) continue;
      const cause = error instanceof Error && error.cause ? ` (${messageOf(error.cause)})` : '';
      throw new UserError(
        `${url} could not be downloaded: ${messageOf(error)}${cause}. Check the network, or set DEBIAN_MIRROR to another mirror.`,
        { cause: error },
      );
    }
  }
}
