import { expect, test } from 'vitest';
import { pipeline } from '../../shared/pipeline.ts';
import { hourly, job, seven } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

/** What its only run came to, on a host that keeps jobs in containers. */
async function endsAs(run: string, allowProcess: string[], allowHostNetwork: string[] = []): Promise<string> {
  const world = await World.inMemory(job('score', { schedule: hourly, run }));
  const settings = { ...world.parts.settings, isolation: { contained: true, allowProcess, allowHostNetwork } };
  // The test's platform answers to the name that the job asks for.
  const executors = new Map([['process', world.platform]]);
  const executor = Object.assign(Object.create(world.platform), { name: 'docker' });
  const host = pipeline(world.host({ settings, executors, executor }));
  Object.assign(world.platform, { name: 'process' });
  world.now = seven;
  await world.settleDown(host);
  await host.tick(seven);
  await world.settleDown(host);
  const found = (await world.rows('score'))[0];
  return `${found?.state} ${found?.attempts.at(-1)?.errorClass ?? ''} ${found?.attempts.at(-1)?.error ?? ''}`;
}

test('a job that would leave its container is refused at launch, unless the operator named it', async () => {
  expect(await endsAs('executor: process', [])).toMatch(/configuration.*start the host with --allow-process score/);
  expect(await endsAs('executor: process', ['other'])).toMatch(/configuration.*--allow-process score/);
  expect(await endsAs('executor: process', ['score'])).not.toMatch(/allow-process/);
  expect(await endsAs('network: host', ['score'])).toMatch(/configuration.*--allow-host-network score/);
});
