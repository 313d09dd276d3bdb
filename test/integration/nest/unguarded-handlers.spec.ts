import { type CanActivate, UseGuards } from '@nestjs/common';
import { WorkHandler } from '@spillway/work-queue';
import { Journal } from '../../support/journal.js';
import { NestApplications, process, SMALL } from '../../support/nest-applications.js';

let journal: Journal;
let apps: NestApplications;

beforeEach(async () => {
  journal = new Journal();
  apps = await NestApplications.create();
});

afterEach(() => apps.close());

describe('a handler class that is not provided as itself', () => {
  class No implements CanActivate {
    canActivate(): boolean {
      return false;
    }
  }

  @UseGuards(No)
  class Guarded {
    @WorkHandler('jobs')
    handle(): void {
      journal.write('handler');
    }
  }

  const startGuarded = (useFactory: () => object): ReturnType<NestApplications['start']> =>
    apps.start({
      imports: [apps.workQueue({ jobs: SMALL })],
      providers: [{ provide: 'HANDLER', useFactory }],
    });

  it('made by a factory is refused with a guard given as a class, which NestJS would leave out', async () => {
    await expect(startGuarded(() => new Guarded())).rejects.toThrow(
      'Guarded.handle would run without No: NestJS makes',
    );
  });

  it('with a token and useClass is guarded like any other class', async () => {
    const providers = [{ provide: 'HANDLER', useClass: Guarded }];
    const app = await apps.start({ imports: [apps.workQueue({ jobs: SMALL })], providers });
    await process(app, 'jobs', 'hello');
    expect(journal.entries).toEqual([]);
  });

  it('made by a factory is guarded by a guard given as an instance', async () => {
    @UseGuards(new No())
    class GuardedByInstance {
      @WorkHandler('jobs')
      handle(): void {
        journal.write('handler');
      }
    }
    const app = await startGuarded(() => new GuardedByInstance());
    await expect(process(app, 'jobs', 'hello')).resolves.toMatchObject({ end: 'dead-lettered' });
    expect(journal.entries).toEqual([]);
  });
});
