import { problem, type Path, type Problem } from './problem.js';

/** AMQP allows 255; the rest is left for what we append, such as `.dead`. */
const MAX_NAME_BYTES = 200;
const RESERVED_PREFIX = 'amq.';
const DEAD_LETTER_SUFFIX = '.dead';
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * What is wrong with a queue's name. A name that ends in `.dead` is refused whether or not the queue it would
 * be the dead-letter queue of exists: that one may be added later.
 */
export function queueNameProblems(name: string, path: Path): Problem[] {
  const refuse = (expected: string) => problem({ path, expected: `a queue name ${expected}`, given: name });
  const problems: Problem[] = [];
  const bytes = new TextEncoder().encode(name).length;
  if (bytes < 1 || bytes > MAX_NAME_BYTES) problems.push(refuse(`of 1 to ${MAX_NAME_BYTES} bytes`));
  if (CONTROL_CHARACTER.test(name)) problems.push(refuse('without control characters'));
  if (name.startsWith(RESERVED_PREFIX))
    problems.push(refuse('that does not start with amq. (reserved by RabbitMQ)'));
  if (name.endsWith(DEAD_LETTER_SUFFIX)) {
    problems.push(refuse('that does not end in .dead (the dead-letter queue of another queue)'));
  }
  return problems;
}
