import { expect, test } from 'vitest';
import { ownerLeft } from '../../shared/actions/owner.ts';
import { routesOf } from '../../shared/alerts/route.ts';
import { minute } from '../../shared/instant.ts';
import { Mailbox } from '../support/alerts/world.ts';
import { hourly, job } from '../support/pipeline/cast.ts';
import { World } from '../support/pipeline/parts.ts';

const asked = { by: 'lee', why: 'left on Friday' };
const owned = (name: string, email: string, successor?: string) => {
  const one = job(name, { schedule: hourly });
  return { ...one, owner: { ...one.owner, email, ...(successor && { successor }) } };
};

async function left() {
  const jobs = [owned('one', 'Dana@contoso.com', 'lee@contoso.com'), owned('two', 'kim@contoso.com')];
  const world = await World.inMemory(...jobs);
  const box = new Mailbox(() => world.now, { email: 'mail', fallbackEmail: 'it@contoso.com' });
  Object.assign(world.parts, { alerts: box.alerts });
  const leave = (email = 'dana@contoso.com') => ownerLeft(world.parts, email, () => true, asked, world.now);
  return { world, box, leave };
}

test('the successor hears of it, the one who left does not, and the audit says who said so', async () => {
  const { world, box, leave } = await left();
  expect(await leave()).toEqual({ opened: ['one'], already: [] });
  await world.pass(world.now + 2 * minute);
  expect(box.titles().every((title) => title === 'NO OWNER one (dana@contoso.com)')).toBe(true);
  const addresses = box.arrived.flatMap(({ to }) => to);
  expect(addresses).toContain('lee@contoso.com');
  expect(addresses.map((one) => one.toLowerCase())).not.toContain('dana@contoso.com');
  const kinds: string[] = [];
  for await (const { kind, by, why } of world.store.events.list('one')) kinds.push(`${kind} ${by} ${why}`);
  expect(kinds).toContain('owner-left lee left on Friday');
});

test('said again it is one incident; it closes when the manifest names another owner', async () => {
  const { world, box, leave } = await left();
  await leave();
  expect(await leave()).toEqual({ opened: [], already: ['one'] });
  await world.pass(world.now + 2 * minute);
  box.take();
  await world.pass(world.now + 2 * minute);
  expect(box.take()).toEqual([]);
  await world.deploy(owned('one', 'lee@contoso.com'), 'print(2)');
  await world.pass(world.now + 2 * minute);
  expect(new Set(box.titles())).toEqual(new Set(['RECOVERED one (dana@contoso.com)']));
});

test('without a successor it goes to the fallback address; an unknown person opens nothing', async () => {
  const { box, leave } = await left();
  expect(await leave('no one@contoso.com')).toEqual({ opened: [], already: [] });
  const about = { tier: 'standard', level: 0, cause: 'owner', subject: 'kim@contoso.com' } as const;
  const routes = routesOf(about, owned('two', 'kim@contoso.com'), box.alerts.settings);
  expect(routes).toContainEqual({ channel: 'mail', to: ['it@contoso.com'] });
  expect(routes.flatMap(({ to }) => to)).not.toContain('kim@contoso.com');
});
