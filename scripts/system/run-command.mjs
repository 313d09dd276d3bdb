import { spawn } from 'node:child_process';

/**
 * @typedef {object} CommandResult
 * @property {number} code exit code; 127 if there is no such command, 124 if it took too long, 128 + n by signal
 * @property {string} stdout
 * @property {string} output stdout and stderr in the order they came
 */

/**
 * Runs a command to its end and never throws: the caller decides what a code means.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {object} [options]
 * @param {number} [options.timeoutMs] then it is killed; default: no limit
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {string} [options.cwd]
 * @param {string} [options.input] what it reads from stdin
 * @param {boolean} [options.isShown] also copy its output to our stderr as it comes
 * @returns {Promise<CommandResult>}
 */
export function runCommand(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: options.env ?? process.env, cwd: options.cwd });
    const chunks = collect(child, options.isShown ?? false);
    let isTooLate = false;
    const timer = setTimeout(
      () => {
        isTooLate = true;
        child.kill('SIGKILL');
      },
      options.timeoutMs ?? 2 ** 31 - 1,
    );
    const finish = (/** @type {number} */ code) => {
      clearTimeout(timer);
      resolve({ code, stdout: chunks.stdout.join(''), output: chunks.output.join('') });
    };
    child.on('error', (error) => {
      chunks.output.push(error.message);
      finish(127);
    });
    child.on('close', (code) => finish(isTooLate ? 124 : (code ?? 128)));
    // n.b. a child that ends before it has read everything must not end us with EPIPE.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/**
 * @param {import('node:child_process').ChildProcessWithoutNullStreams} child
 * @param {boolean} isShown
 */
function collect(child, isShown) {
  const chunks = { stdout: /** @type {string[]} */ ([]), output: /** @type {string[]} */ ([]) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (/** @type {string} */ text) => {
      if (stream === child.stdout) chunks.stdout.push(text);
      chunks.output.push(text);
      if (isShown) process.stderr.write(text);
    });
  }
  return chunks;
}
