/** A RabbitMQ node with everything of its own in one folder, on loopback ports of its own. */
export interface PrivateNode {
  /** `amqp://guest:guest@127.0.0.1:PORT` */
  url: string;
  /** `http://guest:guest@127.0.0.1:PORT` */
  managementUrl: string;
  /** RabbitMQ's version, as the node itself says it. */
  version: string;
  dir: string;
  /** The process id of the broker itself, for SIGSTOP and the like. */
  pid: number;
  /** False if the folder's node was already serving. */
  isStartedHere: boolean;
  /** Stops it gracefully (RabbitMQ 3.10 takes 6 s), its name server too. Data and ports are kept for the next start. */
  stop: () => Promise<void>;
  /** Ends it like a crash (SIGKILL), its name server too; about 50 ms. */
  kill: () => Promise<void>;
  /** Runs `rabbitmqctl` with these arguments on this node; resolves with what it printed, and throws it if it failed. */
  ctl: (...args: string[]) => Promise<string>;
}

export interface PrivateNodeOptions {
  /** The node's folder, made if it is missing. A name without spaces, for example from mkdtemp. */
  dir: string;
  /** One of the versions unpacked before. Default: RABBITMQ_VERSION, else the installed one, else one unpacked before. */
  version?: '3.10' | '4.0' | '4.3';
  /** The very server to start, instead of a version. */
  server?: { program: string; erlangFolder: string };
}

/**
 * Starts a private node, or takes the folder's node if it serves. It outlives this process: stop it or kill it.
 * Never installs or downloads anything; where there is no RabbitMQ it throws an error that says how to get one.
 */
export function startPrivateNode(options: PrivateNodeOptions): Promise<PrivateNode>;
