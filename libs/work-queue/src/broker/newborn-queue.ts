/**
 * A single node that is killed sooner after a quorum queue was created can bring the queue back empty or stuck
 * (measured: 0.5 s was too soon, 1 s was not).
 */
export const NEWBORN_QUEUE_MS = 1_500;
