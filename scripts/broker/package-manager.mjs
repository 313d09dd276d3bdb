import { runCommand } from '../system/run-command.mjs';
import { say, secondsSince } from '../terminal/say.mjs';
import { UserError } from '../terminal/user-error.mjs';

/*
 * Debian's and Ubuntu's rabbitmq-server starts a broker on port 5672 when it is installed. policy-rc.d(8) is how a
 * machine forbids that: it is put in the way for the time of the installation, and whatever was there put back.
 */
const INSTALL = `set -e
guard=/usr/sbin/policy-rc.d
saved=$guard.before-spillway
restore() {
  [ -z "$guarded" ] || rm -f "$guard"
  [ ! -e "$saved" ] || mv "$saved" "$guard"
}
trap restore EXIT
trap 'exit 130' INT TERM HUP
answer=0
[ ! -x "$guard" ] || "$guard" rabbitmq-server start >/dev/null 2>&1 || answer=$?
if [ "$answer" != 101 ]; then
  [ ! -e "$guard" ] || mv "$guard" "$saved"
  guarded=yes
  printf '#!/bin/sh\\nexit 101\\n' > "$guard"
  chmod 755 "$guard"
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=120 update
apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends rabbitmq-server
`;

const ANSWER_TIMEOUT_MS = 5000;

/**
 * How to run something as root without a question being asked.
 * @returns {Promise<string[] | undefined>} what to put before the command; undefined: not possible
 */
async function asRoot() {
  if (process.getuid?.() === 0) return [];
  const { code } = await runCommand('sudo', ['-n', 'true'], { timeoutMs: ANSWER_TIMEOUT_MS });
  return code === 0 ? ['sudo', '-n'] : undefined;
}

/** @returns {Promise<string | undefined>} why nothing can be installed; undefined: it can */
export async function whyNoInstallation() {
  const { code } = await runCommand('apt-get', ['--version'], { timeoutMs: ANSWER_TIMEOUT_MS });
  if (code !== 0) return 'there is no apt-get';
  return (await asRoot()) ? undefined : 'this user is not root and has no sudo without a password';
}

/** Installs rabbitmq-server with the system's package manager, without starting a broker. */
export async function installRabbitmq() {
  const started = performance.now();
  say.step('Installing rabbitmq-server with apt-get (its own broker is not started) …');
  const [command, ...args] = [...((await asRoot()) ?? []), 'sh', '-s'];
  const { code, output } = await runCommand(command, args, { input: INSTALL });
  if (code !== 0) {
    const end = output.trim().split('\n').slice(-5).join('\n  ');
    throw new UserError(`apt-get could not install rabbitmq-server (exit code ${code}):\n  ${end}`);
  }
  say.done(`rabbitmq-server is installed (${secondsSince(started)})`);
}
