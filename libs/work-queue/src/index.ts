export type { Codec, EncodedPayload, ReceivedMessage } from './message/codec.js';
export { HEADERS } from './message/headers.js';
export { type MessageIdentity, messageIdOf } from './message/message-id.js';
export type { Priority } from './admission/admission.js';
export type { Pass } from './admission/passes.js';
export type { Preadmission } from './queue-door.js';
export type { RefusalNotice } from './errors/refusal.js';
export type { WorkQueueOptions } from './config/settings.js';
export type { ConsumerResize } from './consume/consumer-bounds.js';
export type { ConsumerState, WorkConsumer } from './consume/handler-consumer.js';
export type { DeadLetter } from './dead-letter/dead-letter.js';
export { DeadLetterService } from './dead-letter/dead-letter.service.js';
export type {
  CountOptions,
  DeadLetterCount,
  DiscardOptions,
  DiscardResult,
  PeekOptions,
  RedriveOptions,
  RedriveProgress,
  RedriveResult,
  RunEnd,
} from './dead-letter/dead-letter-results.js';
export type { DeadLetterSelection } from './dead-letter/selection.js';
export { BatchFailure } from './errors/batch-failure.error.js';
export { BrokerBlockedError } from './errors/broker-blocked.error.js';
export { BrokerUnavailableError } from './errors/broker-unavailable.error.js';
export { ConfigurationError } from './errors/configuration.error.js';
export { ConfirmLostError } from './errors/confirm-lost.error.js';
export { ConfirmTimeoutError } from './errors/confirm-timeout.error.js';
export { ConnectError } from './errors/connect.error.js';
export { DropWork } from './errors/drop-work.error.js';
export { IdempotencyConflictError } from './errors/idempotency-conflict.error.js';
export { InvalidMessageError } from './errors/invalid-message.error.js';
export { NoWorkersError } from './errors/no-workers.error.js';
export { WorkFailedError } from './errors/work-failed.error.js';
export { DeadLetterError } from './errors/dead-letter.error.js';
export { HandlerRegistrationError } from './errors/handler-registration.error.js';
export { ManagementError } from './errors/management.error.js';
export { MessageTooLargeError } from './errors/message-too-large.error.js';
export { OutcomeUnknownError } from './errors/outcome-unknown.error.js';
export { PermanentFailure } from './errors/permanent-failure.error.js';
export { PublishRefusedError } from './errors/publish-refused.error.js';
export { PublisherBusyError } from './errors/publisher-busy.error.js';
export { QueueFullError } from './errors/queue-full.error.js';
export { RetryLater } from './errors/retry-later.error.js';
export { TopologyError } from './errors/topology.error.js';
export { UnroutableError } from './errors/unroutable.error.js';
export { type RefusalReason, WorkQueueError } from './errors/work-queue.error.js';
export { BatchContext } from './execute/batch-context.js';
export { WorkContext } from './execute/work-context.js';
export { ApplicationLogger } from './nest/application-logger.js';
export { type LogLevelResult, readLogLevel } from './nest/log-level.js';
export type { EarlyRequest } from './nest/fastify.port.js';
export { readIdempotencyKey } from './nest/idempotency-key.js';
export { InjectWorkQueue } from './nest/inject-work-queue.decorator.js';
export { type Preference, readPrefer } from './nest/prefer.js';
export { type Problem, retryAfterSeconds, toProblem } from './nest/problem.js';
export { RefusesEarly, type RefusesEarlyOptions } from './nest/refuses-early.decorator.js';
export { runApplication } from './nest/run-application.js';
export { workQueueToken } from './nest/tokens.js';
export { WorkHandler, type WorkHandlerOptions } from './nest/work-handler.decorator.js';
export { WorkQueueClient, type WorkQueueClientOptions } from './nest/work-queue.client.js';
export { WorkQueueExceptionFilter } from './nest/work-queue.exception-filter.js';
export { WorkQueueHealth } from './nest/work-queue.health.js';
export { type WorkQueueAsyncOptions, WorkQueueModule } from './nest/work-queue.module.js';
export { WorkQueueTransport, type WorkQueueTransportOptions } from './nest/work-queue.transport.js';
export { ThreadDied } from './threads/thread-died.error.js';
export { type JobEnd, type JobSettled, Telemetry, type TelemetryEvents } from './telemetry/telemetry.js';
export { type RuntimeHealth, WorkQueueRuntime } from './work-queue.runtime.js';
export {
  type PublishOptions,
  type PublishReceipt,
  type RequestOptions,
  type RequestOutcome,
  WorkQueue,
} from './work-queue.js';
