import { readFile } from 'node:fs/promises';
import { type LimitMode, type Problem, type QueueQos, resolveQosFile } from '@spillway/qos';
import { type Document, isNode, LineCounter, parseDocument } from 'yaml';
import { ConfigurationError } from '../errors/configuration.error.js';

/** The QoS of every queue, complete and valid. */
export interface QosFile {
  readonly queues: ReadonlyMap<string, QueueQos>;
  readonly limits: LimitMode;
}

/**
 * Reads the QoS of all queues from a YAML file.
 * @throws ConfigurationError naming every problem with its line
 */
export async function readQosFile(path: string): Promise<QosFile> {
  const text = await readText(path);
  return parseQosText(text, path);
}

/** The same for QoS given in code, in the file's own format. `source` is what messages call it. */
export function resolveQos(input: unknown, source: string): QosFile {
  const resolved = resolveQosFile(input);
  if (resolved.ok) return resolved;
  throw wrong(
    source,
    resolved.problems.map((problem) => problem.message),
  );
}

/** Exported for its tests. @throws ConfigurationError */
export function parseQosText(text: string, path: string): QosFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(
      (e) => `line ${lines.linePos(e.pos[0]).line}: not YAML: ${e.message}`,
    );
    throw wrong(path, problems);
  }
  const resolved = resolveQosFile(contentOf(document, path));
  if (resolved.ok) return resolved;
  const located = resolved.problems.map(({ path: place, message }) => ({
    line: lineOf(place, document, lines),
    message,
  }));
  const inOrder = located.toSorted((one, other) => one.line - other.line);
  throw wrong(
    path,
    inOrder.map(({ line, message }) => `line ${line}: ${message}`),
  );
}

/** Aliases are followed only here: one may point nowhere, or together they may multiply beyond all measure. */
function contentOf(document: Document, path: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw wrong(path, [`not YAML: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const problem = `cannot be read: ${reason}. Create it, or set SPILLWAY_CONFIG to the path of the QoS file.`;
    throw new ConfigurationError(`QoS file ${path} ${problem}`, { cause });
  }
}

/** The line of the value a problem is about; for something missing, the line of what it is missing in. */
function lineOf(place: Problem['path'], document: Document, lines: LineCounter): number {
  for (let length = place.length; length > 0; length--) {
    const node: unknown = document.getIn(place.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

function wrong(source: string, problems: readonly string[]): ConfigurationError {
  return new ConfigurationError(
    `${source} is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
  );
}
