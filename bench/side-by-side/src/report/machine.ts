import { cpus, loadavg } from 'node:os';

/** What a number was measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
  readonly rabbitmq: string;
  /** Of the last minute, before it began: what else was running. */
  readonly loadAverage: number;
}

export function describeMachine(rabbitmq: string): Machine {
  const cores = cpus();
  const [loadAverage = Number.NaN] = loadavg();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    node: process.version,
    rabbitmq,
    loadAverage,
  };
}

export const machineLine = ({ cpu, cores, node, rabbitmq, loadAverage }: Machine): string =>
  `machine: ${cpu}, ${cores} cores, node ${node}, RabbitMQ ${rabbitmq}, load average before ${loadAverage.toFixed(1)}`;
