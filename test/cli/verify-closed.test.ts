import { expect, test } from 'vitest';
import { verdict } from '../../cli/commands/verify.ts';
import { answers, bad, behaviour, script, verify, verifyWorld } from '../support/azure/verify-world.ts';

verifyWorld();

/** An installation with `--network closed`: Azure answers 403 to who is outside, before it asks for a token. */
async function closed(open: number) {
  const [site] = answers().sites.stdout as object[];
  await script({ sites: { stdout: [{ ...site, publicNetworkAccess: 'Disabled' }] } });
  behaviour.open = open;
  return verify();
}

test('from outside what can be looked at is, and what cannot is named with where to look from: nothing is called broken', async () => {
  const all = await closed(403);
  const left = bad(all);
  expect(left.map(({ check, state }) => [check, state])).toEqual([
    ['ticks', 'note'],
    ['poison', 'note'],
    ['canary', 'note'],
  ]);
  for (const { text, remedy } of left) {
    expect(text).toContain('this machine is outside');
    expect(remedy).toContain('lamp verify on a machine in the network');
  }
  expect(verdict(all)).toContain('What can be seen from here works; 3 things not looked at.');
  expect(all.find(({ check }) => check === 'roles')?.state).toBe('right');
});

test('from inside it is looked at as any other, and an app that is open after all is found', async () => {
  expect(bad(await closed(401))).toEqual([]);
  expect(bad(await closed(200)).map(({ check }) => check)).toContain('authentication');
});

test('a 403 of an app that is not closed stays what it is: wrong', async () => {
  await script();
  behaviour.open = 403;
  expect(bad(await verify()).some(({ text }) => text.includes('answered with 403'))).toBe(true);
});
