const silent = () => undefined;

/** For peers that insist on a logger of NestJS's kind. */
export const SILENT_LOGGER = { log: silent, error: silent, warn: silent, debug: silent, verbose: silent };
