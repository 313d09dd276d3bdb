import { type INestApplicationContext, Injectable } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import { Telemetry, WorkHandler, WorkQueueHealth, WorkQueueRuntime } from '@spillway/work-queue';
import { NestApplications, process, SMALL } from '../../support/nest-applications.js';
import { until } from '../../support/until.js';
import { manage } from '../../support/vhost.js';

/** The management API lists a connection up to 5 s after it was opened. */
const CONNECTION_TEST_MS = 30_000;

@Injectable()
class Handler {
  @WorkHandler('jobs')
  handle(@Payload() _payload: unknown): void {}
}

let apps: NestApplications;
let app: INestApplicationContext;

beforeEach(async () => {
  apps = await NestApplications.create();
  app = await apps.start({
    imports: [apps.workQueue({ jobs: SMALL }, { name: 'shop' })],
    providers: [Handler],
  });
});

afterEach(() => apps.close());

const check = (): ReturnType<WorkQueueHealth['check']> => app.get(WorkQueueHealth).check();

async function untilReady(): Promise<void> {
  await until(async () => {
    const { isReady, problems } = await check();
    return isReady ? undefined : problems.join('; ');
  }, 15_000);
}

/** Closes a connection of the application as an operator does. */
async function closeConnection(name: string): Promise<void> {
  await until(async () => {
    const connection = (await connections()).find((each) => each.user_provided_name === name);
    if (!connection) return `no connection ${name}`;
    await manage('DELETE', `connections/${encodeURIComponent(connection.name)}`);
    return undefined;
  }, 15_000);
}

async function connections(): Promise<Array<{ name: string; user_provided_name: string }>> {
  return (await manage('GET', `vhosts/${apps.vhost.name}/connections`)) as Awaited<
    ReturnType<typeof connections>
  >;
}

function nextEvent(
  name: 'connection.lost' | 'connection.opened' | 'consumer.lost' | 'consumer.started',
): Promise<void> {
  return new Promise((resolve) => {
    const stopListening = app.get(Telemetry).on(name, () => {
      stopListening();
      resolve();
    });
  });
}

it('an application that publishes and consumes as configured is ready', async () => {
  await expect(check()).resolves.toEqual({ isReady: true, problems: [] });
});

it('a policy that was deleted behind our back makes it not ready, and the reason names it', async () => {
  await manage('DELETE', `policies/${apps.vhost.name}/spillway.jobs`);
  await expect(check()).resolves.toEqual({
    isReady: false,
    problems: [expect.stringContaining('jobs: Policy "spillway.jobs" is missing')],
  });
});

it('a queue that was deleted makes it not ready, and the reason names it', async () => {
  const lost = nextEvent('consumer.lost');
  await manage('DELETE', `queues/${apps.vhost.name}/jobs`);
  await lost;
  const { isReady, problems } = await check();
  expect(isReady).toBe(false);
  expect(problems).toEqual(
    expect.arrayContaining([
      'not consuming jobs',
      expect.stringContaining('"jobs" does not exist on the broker'),
    ]),
  );
});

it.each(['publish', 'consume'])(
  'a lost %s connection makes it not ready until it is back, and then it works',
  async (half) => {
    const [lost, opened] = [nextEvent('connection.lost'), nextEvent('connection.opened')];
    await closeConnection(`shop ${half}`);
    await lost;
    await expect(check()).resolves.toEqual({
      isReady: false,
      problems: [expect.stringMatching(new RegExp(`^${half} connection is (waiting|connecting)$`))],
    });
    await opened;
    await untilReady();
    await expect(process(app, 'jobs', 'after')).resolves.toMatchObject({ end: 'succeeded' });
  },
  CONNECTION_TEST_MS,
);

it(
  'a policy that is gone when the connection comes back is set again',
  async () => {
    await manage('DELETE', `policies/${apps.vhost.name}/spillway.jobs`);
    const opened = nextEvent('connection.opened');
    await closeConnection('shop publish');
    await opened;
    await untilReady();
    await expect(manage('GET', `policies/${apps.vhost.name}/spillway.jobs`)).resolves.toMatchObject({
      definition: { 'max-length': 100 },
    });
  },
  CONNECTION_TEST_MS,
);

it('an application that is closing is not ready', async () => {
  const runtime = app.get(WorkQueueRuntime);
  await app.close();
  await expect(runtime.health()).resolves.toEqual({ isReady: false, problems: ['shutting down'] });
});
