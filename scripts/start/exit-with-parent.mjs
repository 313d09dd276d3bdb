// Loaded into the apps that `npm start` runs. They do not get the terminal's Ctrl-C, as npm start passes it on in
// order; so if that is killed, this is how they learn that nobody will ever stop them.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();
