import { Injectable } from '@nestjs/common';
import { type RuntimeHealth, WorkQueueRuntime } from '../work-queue.runtime.js';

/** For readiness endpoints: asks the broker at most every two seconds, however often it is asked. */
@Injectable()
export class WorkQueueHealth {
  constructor(private readonly runtime: WorkQueueRuntime) {}

  check(): Promise<RuntimeHealth> {
    return this.runtime.health();
  }
}
