import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { api } from '../../shared/api/api.ts';
import { entraGuard } from '../../shared/api/entra.ts';
import { nudges } from '../../shared/executors/nudge.ts';
import { openEmbedded } from '../../shared/store/embedded/store.ts';
import { benchJobs } from './app-world.ts';

/** The API in a process of its own, as an app has it: real tokens checked. `app-host.ts <store> <authority> <tenant> <client>` */
const [folder = '', authority = '', tenant = '', client = ''] = process.argv.slice(2);
const store = openEmbedded(folder);
const catalog = benchJobs();
const never = async () => {
  throw new Error('nothing is started here');
};
const parts = {
  store,
  catalog: () => catalog,
  executor: {
    name: 'none',
    startGraceMs: 0,
    needsSecretValues: false,
    image: null,
    start: never,
    status: never,
    stop: never,
  },
  vault: { place: 'nowhere', read: never, version: never },
  emit: (event: { type: string }) => {
    if (event.type === 'trouble') console.error(event);
  },
  settings: { nudges: nudges(null, () => store.keys('nudge')), cache: null },
  person: 'bench',
};
const app = api(parts, Date.now, entraGuard({ tenant, client, authority }));
const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
await once(server, 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
