import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mailOf } from '../../shared/alerts/channels/letter.ts';
import { teamsPayload } from '../../shared/alerts/channels/teams.ts';
import { chartOf } from '../../shared/drift/chart.ts';
import { cardPage, executablePath, openBrowser } from '../support/alerts/rendering.ts';
import { rudeMessage } from '../support/alerts/story.ts';

/** In CI a browser that is missing is a failure. */
const skipped = !existsSync(executablePath) && !process.env.CI;
if (skipped)
  console.warn(
    `not tested: how cards and e-mails look in a browser (${executablePath} is missing; CHROMIUM names another)`,
  );

describe.skipIf(skipped)('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  async function look(content: string, scheme: 'light' | 'dark') {
    const page = await browser.newPage({ colorScheme: scheme, viewport: { width: 600, height: 800 } });
    const said: string[] = [];
    page.on('dialog', (dialog) => {
      said.push('a dialog');
      return dialog.dismiss();
    });
    page.on('pageerror', (error) => said.push(error.message));
    await page.setContent(content);
    return { page, said };
  }

  test.each([
    'light',
    'dark',
  ] as const)('a Teams card in %s shows every text as it is, and three buttons', async (theme) => {
    const [{ content }] = teamsPayload(rudeMessage()).attachments as [{ content: unknown }];
    const { page, said } = await look(cardPage(content, theme), theme);
    const text = await page.innerText('#card');
    expect(text).toContain('**bold** [link](https://evil.example) <!channel> @everyone');
    expect(text).toContain('</td><script>alert(1)</script>');
    expect(await page.locator('#card :is(a, script, strong, em, ol, li, iframe, img)').count()).toBe(0);
    expect(await page.locator('#card button').allInnerTexts()).toEqual(['Open', 'Acknowledge', 'Rerun']);
    const wide = await page.evaluate('document.documentElement.scrollWidth');
    expect(wide).toBeLessThanOrEqual(600);
    expect(said).toEqual([]);
    await page.close();
  });

  test('a Teams card shows the picture of a finding, and says in words what it is', async () => {
    const points = Array.from({ length: 60 }, (_, i) => ({ slot: i * 86_400_000, value: i < 50 ? 5 + (i % 3) : 9 }));
    const about = { title: 'mean', share: false, timeZone: 'UTC', low: 5, high: 7, change: points[50]?.slot ?? 0 };
    const png = chartOf({ ...about, points, events: [] }).toString('base64');
    const message = { ...rudeMessage(), image: { png, words: '"><b>mean</b>' } };
    const payload = teamsPayload(message);
    expect(Buffer.byteLength(JSON.stringify(payload))).toBeLessThan(27_000);
    const [{ content }] = payload.attachments as [{ content: unknown }];
    const { page, said } = await look(cardPage(content, 'light'), 'light');
    const image = "document.querySelector('#card img')";
    const shown = await page.evaluate(
      `${image}.decode().then(() => [${image}.naturalWidth, ${image}.naturalHeight, ${image}.alt])`,
    );
    expect(shown).toEqual([960, 400, '"><b>mean</b>']);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(600);
    expect(said).toEqual([]);
    await page.close();
  });

  test.each([
    'light',
    'dark',
  ] as const)('an e-mail in %s runs nothing, links nowhere but to us, and can be read', async (scheme) => {
    const { page, said } = await look(mailOf(rudeMessage(), 'lamp@contoso.com').html, scheme);
    expect(await page.innerText('body')).toContain('</td><script>alert(1)</script> **bold**');
    expect(await page.locator('script, iframe, img').count()).toBe(0);
    const links = await page.locator('a').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    expect(links.every((link) => link?.startsWith('https://lamp.example/'))).toBe(true);
    expect(links).toHaveLength(3);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(600);
    expect(said).toEqual([]);
    await page.close();
  });
});
