import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { canary } from '../../../../cli/deploy/canary.ts';
import { api } from '../../../../shared/api/api.ts';
import type { Caller } from '../../../../shared/api/caller.ts';
import { containerAppsExecutor } from '../../../../shared/executors/container-apps/container-apps.ts';
import { attemptMark } from '../../../../shared/executors/container-apps/template.ts';
import { minute } from '../../../../shared/instant.ts';
import type { AttemptSpec } from '../../../../shared/run/attempt.ts';
import { Arm } from '../../arm/arm.ts';
import type { Launched } from '../../arm/arm-execution.ts';
import { actionOf } from '../../arm/arm-schema.ts';
import { World } from '../../pipeline/parts.ts';
import { allows } from './standing.ts';

export const masterKey = 'master-key-of-the-host';
export const tokenForApp = 'token-for-the-app';

/** What stands before the app, and what the app may do: as the last deployment left it. */
export interface Front {
  /** Whether only its network reaches it: Azure answers 403 to others, whatever they bring. */
  closed: boolean;
  /** Whether Entra authentication is required. */
  required: boolean;
  /** Paths that it lets through, with `*` at the end. */
  open: string[];
  /** What the role of the app allows on the canary's Container Apps Job. */
  actions: string[];
}

/**
 * The function app of the canary alone: the real API and pipeline in the time of the test, executions through Azure's
 * management by the real executor, platform authentication before it.
 */
export class Running {
  /** Whether a package has been published, and the app is not stopped. */
  published = false;
  stopped = false;
  /** Whether its timer fires; the second scheduler calls every five minutes in any case. */
  timer = true;
  /** Whether this machine is in the network of the installation. */
  inside = false;
  front: Front = { closed: false, required: true, open: [], actions: [] };
  readonly world: World;
  readonly arm: Arm;
  private readonly server: Server;
  private readonly app: ReturnType<typeof api>;

  private constructor(world: World, arm: Arm, server: Server) {
    this.world = world;
    this.arm = arm;
    this.server = server;
    const caller: Caller = { name: 'it@contoso.com', roles: ['admin'], departments: null };
    this.app = api(
      world.parts,
      () => world.now,
      async () => caller,
    );
  }

  static async open(): Promise<Running> {
    const { job } = await canary();
    const world = await World.inMemory(job);
    const { platform, parts, work } = world;
    const specs = new Map<string, AttemptSpec>();
    platform.behave = ({ command }) => (command.includes('wait') ? 'run' : 'succeed');
    platform.leaves = () => ({ metrics: { canary: 1 } });
    const arm = await Arm.open((launched, stopped) => container(launched, stopped, platform, specs), {
      'lamp-lamplighter-canary': { 'lamplighter-canary': 'canary-0a1b' },
    });
    const server = createServer((request, response) => {
      running.answer(request).then(
        async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers));
          response.end(Buffer.from(await answer.arrayBuffer()));
        },
        (error) => response.destroy(error),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const running = new Running(world, arm, server);
    // Azure makes the name of an action from the address that is called, as its resource provider contract says.
    const real = { ...actionOf, stop: 'Microsoft.App/jobs/executions/stop/action' };
    const names = new Map(Object.entries(actionOf).map(([operation, name]) => [name, real[operation as 'stop']]));
    arm.allowed.has = (action) => allows(running.front.actions, names.get(action) ?? action);
    parts.executor = containerAppsExecutor({
      ...arm.access,
      prefix: 'lamp',
      image: `cr1.azurecr.io/lamplighter-runtime@sha256:${'b'.repeat(64)}`,
      jobs: () => job,
      ticket: async (spec) => {
        specs.set(attemptMark(spec), spec);
        return 'https://stdata.blob.core.windows.net/runs/spec.json?sig=x';
      },
    });
    const { tick } = work;
    work.tick = async (now) => {
      if (running.works && (running.timer || now % (5 * minute) === 0)) await tick(now);
    };
    return running;
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private get works(): boolean {
    return this.published && !this.stopped;
  }

  async close(): Promise<void> {
    await this.arm.close();
    this.server.closeAllConnections();
    this.server.close();
  }

  private asksForToken(pathname: string): boolean {
    const { required, open } = this.front;
    return required && !open.some((path) => pathname === path || `${pathname}/`.startsWith(path.replace(/\*$/, '')));
  }

  /** Whether the host answers who has this key and no token. */
  lets(pathname: string, key: string): boolean {
    return this.works && !this.asksForToken(pathname) && key === masterKey;
  }

  /** One request, from the internet. */
  async answer(request: IncomingMessage): Promise<Response> {
    const url = new URL(request.url ?? '', `http://${this.host}`);
    const body = await buffer(request);
    if (!this.works) return new Response('no app', { status: 503 });
    if (this.front.closed && !this.inside) return new Response('Ip Forbidden', { status: 403 });
    const token = request.headers.authorization;
    if (this.asksForToken(url.pathname) && token !== `Bearer ${tokenForApp}`) return new Response('', { status: 401 });
    if (url.pathname.startsWith('/admin/'))
      return new Response('{"state":"Running"}', { status: url.searchParams.get('code') === masterKey ? 200 : 401 });
    // The storage of this world keeps no logs.
    if (url.pathname.endsWith('/log')) return new Response('canary: the secret reads ***\n');
    const headers = { 'content-type': request.headers['content-type'] ?? 'text/plain' };
    return this.app.request(url.href, {
      method: request.method ?? 'GET',
      headers,
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
  }
}

/** A container of the canary: without its secret it fails as the script does. */
async function container(
  { env }: Launched,
  stopped: AbortSignal,
  platform: World['platform'],
  specs: Map<string, AttemptSpec>,
) {
  const spec = specs.get(env.LAMPLIGHTER_RUN ?? '');
  if (!spec || !env.CANARY_SECRET?.startsWith('canary-')) return { code: 21 };
  await platform.start(spec);
  if (!platform.running().includes(spec)) return { code: 0 };
  await new Promise((resolve) => stopped.addEventListener('abort', resolve));
  await platform.stop(spec);
  return { code: 143 };
}
