import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { connect, inProcess } from '../../../cli/connect.ts';
import type { Flags, Here } from '../../../cli/here.ts';
import { findHome } from '../../../cli/home.ts';
import { readManifests } from '../../../cli/host/folder.ts';
import { api } from '../../../shared/api/api.ts';
import { entraGuard } from '../../../shared/api/entra.ts';
import { opened } from '../../../shared/drift/finding.ts';
import { newState } from '../../../shared/drift/state.ts';
import { day, iso, minute } from '../../../shared/instant.ts';
import type { Job } from '../../../shared/job/job.ts';
import type { Parts } from '../../../shared/parts.ts';
import { Mailbox } from '../alerts/world.ts';
import { seven } from '../pipeline/cast.ts';
import { key } from '../pipeline/executor.ts';
import { World } from '../pipeline/parts.ts';
import { call, type Said } from './console.ts';
import { Issuer } from './issuer.ts';

/** One service, and `lamp` for it. */
export interface Side {
  world: World;
  lamp(...args: string[]): Promise<Said>;
}

/** The same jobs with the same past, hosted by this machine and by an app as Azure has it. */
export interface Twice {
  machine: Side;
  app: Side;
  issuer: Issuer;
  /** Address of the app. */
  url: string;
  clean(): Promise<void>;
}

const head = `owner: { email: dana@contoso.com, department: Sales }
tier: standard
data: internal
builtWith: { tool: by hand, version: "1" }
status: production
run: { command: [python, main.py] }
`;
const jobs: Record<string, string> = {
  score: `description: Scores yesterday's prospects.\nschedule: { cron: "*/5 * * * *", timeZone: UTC }\n${head}`,
  daily: `description: Reports the day.\nschedule: { cron: "30 2 * * *", timeZone: Europe/Berlin }\n${head}`,
  pull: `description: Pulls a list.\n${head}`,
  slow: `description: Takes its time.\n${head}`,
  sick: `description: Fails each time it runs.\nschedule: { cron: "0 * * * *", timeZone: UTC }\n${head}`,
  outside: `description: Runs elsewhere.\nexternal: true\n${head.replace(/run:.*\n/, '')}`,
};

export async function twice(): Promise<Twice> {
  const folder = await mkdtemp(join(tmpdir(), 'lamp-twice-'));
  for (const [name, manifest] of Object.entries(jobs)) {
    const place = join(folder, 'jobs', name);
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'job.yaml'), manifest);
    await writeFile(join(place, 'main.py'), 'print(1)\n');
    await writeFile(join(place, 'README.md'), `# ${name}\n`);
  }
  const { catalog, problems } = await readManifests(join(folder, 'jobs'));
  if (catalog.size !== Object.keys(jobs).length) throw new Error(`broken jobs: ${JSON.stringify(problems)}`);
  const cast = [...catalog.values()].map(({ job }) => job);
  const home = { ...findHome(folder), person: 'dana@contoso.com' };
  const issuer = await Issuer.start();
  // Not the host of this machine is looked for, but the last tick, as with an app.
  const environment = {
    ...issuer.environment,
    LAMPLIGHTER_APPS: join(folder, 'apps.json'),
    LAMPLIGHTER_STORAGE: 'none',
  };
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, environment);

  const here = await seeded(cast);
  const machine: Side = {
    world: here.world,
    lamp: (...args) => call(args, (flags) => (flags.app === undefined ? local(here) : remote(here, flags))),
  };
  const there = await seeded(cast);
  const { tenant, client, authority } = issuer;
  const guard = entraGuard({ tenant, client, authority });
  const server = serve({
    fetch: api(there.parts, () => there.world.now, guard).fetch,
    port: 0,
    hostname: '127.0.0.1',
  }) as Server;
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeFile(environment.LAMPLIGHTER_APPS, JSON.stringify({ using: null, apps: [{ name: 'prod', url, client }] }));
  const app: Side = {
    world: there.world,
    lamp: (...args) => call([...args.slice(0, 1), '--app', 'prod', ...args.slice(1)], (flags) => remote(there, flags)),
  };

  function local({ world, parts, sleep }: Seeded): Here {
    const service = { parts, clock: () => world.now };
    return {
      home,
      connect: (by = home.person) => inProcess(service, home.root, by, new Set()),
      isRemote: async () => false,
      now: () => world.now,
      sleep,
    };
  }
  function remote({ world, sleep }: Seeded, { app: name }: Flags): Here {
    return {
      home,
      connect: (by) => connect(home, { ...(name !== undefined && { app: name }), ...(by !== undefined && { by }) }),
      isRemote: async () => true,
      now: () => world.now,
      sleep,
    };
  }

  return {
    machine,
    app,
    issuer,
    url,
    async clean() {
      server.close();
      server.closeAllConnections();
      issuer.stop();
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface Seeded {
  world: World;
  parts: Parts;
  sleep(ms: number): Promise<void>;
}

/** A morning of runs: good ones, failed ones with an incident, a metric that drifted, alerts that were sent. */
async function seeded(cast: readonly Job[]): Promise<Seeded> {
  const world = await World.inMemory(...cast);
  const box = new Mailbox(() => world.now);
  const logs = new Map<string, string>();
  const line = (text: string) => `${new Date(world.now).toISOString()} ${text}\n`;
  const { attempts } = world.store;
  const store = {
    ...world.store,
    attempts: {
      ...attempts,
      log: async (id: Parameters<typeof attempts.log>[0], offset: number) =>
        Buffer.from(logs.get(key(id)) ?? line(`hello from ${id.job}`)).subarray(offset),
    },
  };
  const parts = world.host({ store, alerts: box.alerts });
  world.platform.behave = ({ job }) => (job === 'sick' ? 'fail' : job === 'slow' ? 'run' : 'succeed');
  world.platform.errorClass = 'authorization';
  await world.pass(seven + 11 * minute);
  await drifted(world);

  /** Time passes; what runs writes a line each time, and ends after the third. */
  async function sleep(ms: number) {
    await world.pass(world.now + Math.max(ms, 1_000));
    for (const spec of world.platform.running()) {
      const text = (logs.get(key(spec)) ?? '') + line(`working on ${spec.job}`);
      logs.set(key(spec), text);
      if (text.split('\n').length > 3) await world.platform.end(spec);
    }
    await world.settleDown();
  }
  return { world, parts, sleep };
}

/** A metric that moved, and the finding about it. */
async function drifted({ store }: World): Promise<void> {
  const since = seven - 4 * day;
  const values = Array.from({ length: 20 }, (_, at) => (at < 16 ? 10 + (at % 2) : 20));
  const points = values.map((value, at) => ({ slot: seven - (20 - at) * day, value }));
  const numbers = { metric: 'mean', kind: 'shift_up', share: false, before: 10, low: 9, high: 12, after: 20 } as const;
  const moved = { since, found: seven - day, kind: 'shift_up' } as const;
  await store.drift.putStates([{ ...newState('score', 'mean', 10), points, runs: 20, drifted: moved }]);
  const finding = opened('score', { ...moved, metric: 'mean', oneIn: 900, numbers });
  await store.drift.putFinding({ ...finding, sentence: `The mean is 20 instead of 10 since ${iso(since)}.` });
}
