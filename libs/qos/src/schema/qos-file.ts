import { choice, mapping } from './kind.js';
import { Option } from './option.js';

export type LimitMode = 'policy' | 'arguments';

/** The whole document: how limits reach the broker, and the queues by name. */
export class QosFile {
  @Option({
    name: 'limits',
    kind: choice<LimitMode>({ values: ['policy', 'arguments'] }),
    whenAbsent: { use: 'policy' },
    doc: [
      'How the length limit reaches the broker.',
      '`policy` needs the management API; such a limit can be changed while everything runs.',
      '`arguments` puts it into the declaration of the queue, for brokers whose management API is out of reach.',
      'It can then never be raised, not even by a policy, until the queue is deleted and declared anew.',
    ],
  })
  readonly limits: LimitMode;

  @Option({
    name: 'queues',
    kind: mapping('a mapping from queue names to their options, with at least one queue'),
    whenAbsent: { refuse: 'required' },
    doc: [
      'The queues by name.',
      'A name has 1 to 200 bytes and no control characters and does not start with `amq.`, reserved by RabbitMQ.',
      'It does not end in `.dead` either: the dead-letter queue of `jobs` is `jobs.dead`.',
    ],
  })
  readonly queues: Record<string, unknown>;
}
