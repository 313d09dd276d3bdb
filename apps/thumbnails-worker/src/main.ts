// Until the application can close itself there is nothing to finish: a signal just ends the process.
const end = (): never => process.exit(0);
process.on('SIGTERM', end);
process.on('SIGINT', end);

const { run } = await import('./application.js');
// A signal that came while modules were loaded is only seen now.
await new Promise((seen) => setImmediate(seen));

process.off('SIGTERM', end);
process.off('SIGINT', end);
await run();
