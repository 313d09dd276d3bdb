import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Telemetry, WorkHandler, WorkQueueHealth } from '@spillway/work-queue';
import { STUCK_QUEUE } from '../../fixtures/stuck.queue.js';
import { type AppProcess, startFixture } from '../../support/app-process.js';
import { gate } from '../../support/fake-broker.js';
import { takeAll } from '../../support/messages.js';
import { NestApplications, publish } from '../../support/nest-applications.js';

let apps: NestApplications;
let program: AppProcess | undefined;
let end = gate();

@Injectable()
class Jobs {
  @WorkHandler('jobs')
  async take(@Payload() _job: string): Promise<void> {
    await end.promise;
  }
}

beforeEach(async () => {
  apps = await NestApplications.create();
  end = gate();
});

afterEach(async () => {
  end.open();
  await program?.stop();
  await apps.close();
});

it('a handler that goes on long after its timeout turns health red, until it ends', async () => {
  const app = await apps.start({ imports: [apps.workQueue({ jobs: STUCK_QUEUE })], providers: [Jobs] });
  const telemetry = app.get(Telemetry);
  const stuck = new Promise((resolve) => telemetry.on('handler.stuck', resolve));
  const settled = new Promise((resolve) => telemetry.on('job.settled', resolve));
  await publish(app, 'jobs', 'hang');
  await expect(stuck).resolves.toMatchObject({ queue: 'jobs', messageIds: [expect.any(String)] });
  const health = app.get(WorkQueueHealth);
  await expect(health.check()).resolves.toEqual({
    isReady: false,
    problems: ['1 handlers of jobs do not end, long after their timeout'],
  });
  end.open();
  await expect(settled).resolves.toMatchObject({ end: 'retried', attempt: 1 });
  await expect(health.check()).resolves.toEqual({ isReady: true, problems: [] });
});

it('a process with such a handler ends itself with 1, and its work is in the queue again', async () => {
  const publisher = await apps.start({ imports: [apps.workQueue({ jobs: STUCK_QUEUE })] });
  const { url, managementUrl } = apps.vhost;
  program = await startFixture(
    'stuck.main.ts',
    { RABBITMQ_URL: url, RABBITMQ_MANAGEMENT_URL: managementUrl },
    [],
  );
  await publish(publisher, 'jobs', 'hang');
  await publish(publisher, 'jobs', 'quick');
  await program.line(/^finished quick$/);
  await expect(program.exited).resolves.toBe(1);
  expect(program.lines).toContain(
    'jobs-worker: a handler of jobs does not end; finishing the others and ending',
  );
  await expect(takeAll(url, 'jobs')).resolves.toMatchObject([{ payload: 'hang', isRedelivered: true }]);
}, 30_000);
