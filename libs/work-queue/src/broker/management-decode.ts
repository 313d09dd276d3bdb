import type { Policy } from './policy.js';
import type { QueueDescription } from './queue-arguments.js';

type Json = Readonly<Record<string, unknown>>;

/** Undefined when the JSON is not a queue. */
export function decodeQueue(json: unknown): QueueDescription | undefined {
  if (!isObject(json) || typeof json['name'] !== 'string') return undefined;
  const queueArguments = asObject(json['arguments']);
  return {
    type: firstString(json['type'], queueArguments['x-queue-type']) ?? 'classic',
    durable: json['durable'] === true,
    autoDelete: json['auto_delete'] === true,
    exclusive: json['exclusive'] === true,
    arguments: queueArguments,
  };
}

/** Undefined when the JSON is not a list of policies. */
export function decodePolicies(json: unknown): Policy[] | undefined {
  if (!Array.isArray(json)) return undefined;
  const policies: Policy[] = [];
  for (const item of json) {
    const policy = decodePolicy(item);
    if (!policy) return undefined;
    policies.push(policy);
  }
  return policies;
}

function decodePolicy(json: unknown): Policy | undefined {
  if (!isObject(json)) return undefined;
  const { name, pattern, priority, 'apply-to': applyTo } = json;
  if (typeof name !== 'string' || typeof pattern !== 'string') return undefined;
  return {
    name,
    pattern,
    applyTo: firstString(applyTo) ?? 'all',
    priority: typeof priority === 'number' ? priority : 0,
    definition: asObject(json['definition']),
  };
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Some versions write an empty object as []. */
function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}

function firstString(...values: unknown[]): string | undefined {
  return values.find((value) => typeof value === 'string');
}
