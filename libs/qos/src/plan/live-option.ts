import { leafOptionsOf } from '../schema/option.js';
import { formatPath, problem, type Path, type Problem } from '../schema/problem.js';
import { QueueQos } from '../schema/queue-qos.js';
import { hint } from '../schema/suggestion.js';

/**
 * Why this version cannot lay an override over the option of that name; undefined if it can.
 *
 * @param name as in a QoS file: `prefetch`, `backoff.initial`
 * @param within where the option belongs, for the message
 */
export function liveOptionProblem(name: string, within: Path): Problem | undefined {
  const options = leafOptionsOf(QueueQos);
  if (options.some((option) => option.name === name && option.declaration.live === true)) return undefined;
  const path = [...within, ...name.split('.')];
  const known = options.map((option) => option.name);
  if (known.some((option) => option === name || option.startsWith(`${name}.`)))
    return needsRestart(name, path);
  const live = options.filter(({ declaration }) => declaration.live === true).map((option) => option.name);
  return problem({ path, expected: `a known option (${hint(name, known, live)})`, given: name });
}

function needsRestart(name: string, path: Path): Problem {
  const advice = 'change it in the QoS file and restart the processes';
  const message = `${formatPath(path)} cannot be changed while it runs: ${advice}`;
  return { path, expected: 'an option that can be changed while it runs', given: name, message };
}
