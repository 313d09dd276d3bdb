import { cpus } from 'node:os';

export interface Machine {
  cpu: string;
  cpus: number;
  node: string;
}

/** What a number was measured on. */
export function describeMachine(): Machine {
  const cores = cpus();
  return { cpu: cores[0]?.model.trim() ?? 'unknown', cpus: cores.length, node: process.version };
}
