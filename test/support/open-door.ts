import { Admission, type AdmissionRules } from '../../libs/work-queue/src/admission/admission.js';
import type {
  ConfirmAnswer,
  OutgoingMessage,
  QueueReading,
} from '../../libs/work-queue/src/broker/broker.port.js';
import type { PublishTarget } from '../../libs/work-queue/src/publish/publish-decision.js';
import { Publisher, type ReplyListener } from '../../libs/work-queue/src/publish/publisher.js';
import { QueueDoor, type SendOptions } from '../../libs/work-queue/src/queue-door.js';
import { FakeConnection, outgoing, RecordingTelemetry, type SentMessage, settled } from './fake-broker.js';

type DoorQos = PublishTarget & AdmissionRules;

/** Ten handlers empty it at 50 ms a job. Full at 100, it takes messages again at 80: 20 jobs and 100 ms later. */
const ORDERS: DoorQos = {
  name: 'orders',
  type: 'quorum',
  overflow: 'reject-publish',
  maxLength: 100,
  window: 4,
  serviceTimeMs: 50,
  concurrencyTotal: 10,
  shedLowAt: 0.8,
};

const OPTIONS = { slotWaitMs: 50, confirmTimeoutMs: 1_000, maxMessageBytes: 1_000 };

/** The door of one queue, with a broker by hand behind it. All time is jest's, all chance is `chance`. Close it. */
export class OpenDoor {
  readonly connection = new FakeConnection();
  readonly telemetry = new RecordingTelemetry();
  readonly publisher: Publisher;
  readonly door: QueueDoor;
  /** How often a refusal hinted at another limit than the known one. */
  doubts = 0;
  /** The next random number, [0, 1). */
  chance = 0;

  private constructor(qos: DoorQos, replies: ReplyListener | undefined) {
    const { connection, telemetry } = this;
    const clock = (): number => performance.now();
    const publisher = new Publisher(connection, { messages: qos.window, bytes: 1_000_000 }, OPTIONS, replies);
    const look = (): Promise<QueueReading | undefined> =>
      connection.inspectQueue(qos.name).catch(() => undefined);
    const admission = new Admission(qos, look, clock);
    const random = (): number => this.chance;
    const limitDoubted = (): void => void this.doubts++;
    const parts = {
      connection,
      publisher,
      admission,
      telemetry,
      options: OPTIONS,
      random,
      clock,
      limitDoubted,
    };
    this.publisher = publisher;
    this.door = new QueueDoor(qos, parts);
  }

  static async open(qos: Partial<DoorQos> = {}, replies?: ReplyListener): Promise<OpenDoor> {
    const made = new OpenDoor({ ...ORDERS, ...qos }, replies);
    await made.publisher.open();
    return made;
  }

  /** What reached the broker, on whatever channel, in the order of the channels. */
  get sent(): SentMessage[] {
    return this.connection.publishChannels.flatMap(({ sent }) => sent);
  }

  /** What a look at the queue finds from now on. */
  finds(readyMessages: number, consumers = 1): void {
    this.connection.inspect = () => Promise.resolve({ readyMessages, consumers });
  }

  /** Resolves with `accepted`, or with the error. */
  send(message: Partial<OutgoingMessage> = {}, options?: SendOptions): Promise<unknown> {
    return this.door.send(outgoing(message), options).then(
      () => 'accepted',
      (error: unknown) => error,
    );
  }

  /** Sends, and lets the broker answer if it got anything. */
  async sendAnd(answer: ConfirmAnswer, options?: SendOptions): Promise<unknown> {
    const before = new Set(this.sent);
    const end = this.send({}, options);
    await settled();
    for (const sent of this.sent) if (!before.has(sent)) sent.answer(answer);
    return end;
  }

  async close(): Promise<void> {
    this.connection.lose('the test is over');
    await this.publisher.close(1_000);
  }
}
