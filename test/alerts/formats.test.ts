import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { mailOf } from '../../shared/alerts/channels/letter.ts';
import { slackPayload } from '../../shared/alerts/channels/slack.ts';
import { teamsPayload } from '../../shared/alerts/channels/teams.ts';
import { lastLines, line } from '../../shared/alerts/clean.ts';
import { type Message, messageText } from '../../shared/alerts/message.ts';
import { rudeMessage } from '../support/alerts/story.ts';

/** As its makers bundle it: what the package exports leaves the endings of file names out, which Node does not guess. */
const { AdaptiveCard, SerializationContext, Version }: typeof import('adaptivecards') = createRequire(import.meta.url)(
  'adaptivecards/dist/adaptivecards.min.js',
);

/** As large as `compose` lets a message become, in characters of four bytes. */
const large = rudeMessage({
  sections: [
    { kind: 'text', text: '😀'.repeat(700) },
    { kind: 'list', heading: 'All of one cause', items: Array.from({ length: 21 }, () => '😀'.repeat(110)) },
    { kind: 'list', heading: 'Changed', items: Array.from({ length: 12 }, () => '😀'.repeat(100)) },
    { kind: 'log', heading: 'Last lines', lines: Array.from({ length: 15 }, (_, at) => `${at} ${'😀'.repeat(98)}`) },
    { kind: 'facts', facts: Array.from({ length: 8 }, () => ({ name: 'Fact', value: '😀'.repeat(150) })) },
  ],
});

const cardOf = (message: Message) => {
  const [attachment] = teamsPayload(message).attachments as [{ contentType: string; content: Record<string, unknown> }];
  return attachment;
};

/** Every object of a JSON value. */
function* objects(value: unknown): Generator<Record<string, unknown>> {
  if (Array.isArray(value)) for (const one of value) yield* objects(one);
  else if (value && typeof value === 'object') {
    yield value as Record<string, unknown>;
    for (const one of Object.values(value)) yield* objects(one);
  }
}

describe('a Teams card', () => {
  test.each([
    ['of a rude message', rudeMessage()],
    ['of the largest message', large],
    ['without links and sections', rudeMessage({ links: [], sections: [] })],
  ])('%s is what the official parser expects, without one remark', (_what, message) => {
    const { contentType, content } = cardOf(message);
    expect(contentType).toBe('application/vnd.microsoft.card.adaptive');
    const card = new AdaptiveCard();
    const context = new SerializationContext(new Version(1, 4));
    card.parse(content, context);
    const remarks = Array.from({ length: context.eventCount }, (_, at) => context.getEventAt(at).message);
    expect(remarks).toEqual([]);
    expect(card.validateProperties().validationEvents).toEqual([]);
    expect(card.getItemCount()).toBeGreaterThan(0);
  });

  test('the parser would remark on a mistake', () => {
    const context = new SerializationContext(new Version(1, 4));
    new AdaptiveCard().parse({ type: 'AdaptiveCard', version: '1.4', body: [{ type: 'Nothing' }] }, context);
    expect(context.eventCount).toBeGreaterThan(0);
  });

  test('stays under 28 KB, and keeps the end of the log', () => {
    const text = JSON.stringify(teamsPayload(large));
    expect(Buffer.byteLength(text)).toBeLessThan(28 * 1024 - 500);
    expect(Buffer.byteLength(JSON.stringify(large))).toBeGreaterThan(14_000);
    expect(text).toContain('14 😀');
  });

  test('shows texts of others only where markdown is not read', () => {
    for (const one of objects(teamsPayload(rudeMessage()))) {
      if (typeof one.text === 'string' && one.text.includes('**bold**')) expect(one.type).toBe('TextRun');
    }
    expect(JSON.stringify(teamsPayload(rudeMessage()))).not.toContain('"TextBlock"');
  });

  test('has the three buttons, and each only opens an address', () => {
    const { actions } = cardOf(rudeMessage()).content as { actions: { type: string; title: string }[] };
    expect(actions.map(({ type, title }) => `${type} ${title}`)).toEqual([
      'Action.OpenUrl Open',
      'Action.OpenUrl Acknowledge',
      'Action.OpenUrl Rerun',
    ]);
  });
});

describe('a Slack message', () => {
  test('mentions no one and links nowhere but to us', () => {
    const payload = slackPayload(rudeMessage());
    for (const one of objects(payload)) {
      if (typeof one.text !== 'string') continue;
      expect(one.text).not.toMatch(/<!|<@|<https:\/\/evil|@(everyone|all|channel|here)\b/);
      if ('type' in one) expect(one.type).toBe('plain_text');
    }
    // What only reads `text` sees one fence that is not left before the links.
    const [, fenced, after] = String(payload.text).split('```');
    expect(fenced).toContain('**bold**');
    expect(after?.trim()).toMatch(/^<https:\/\/lamp\.example\/[^|]+\|Open> · /);
    expect(String(payload.text).split('```')).toHaveLength(3);
  });

  test('keeps to the limits of blocks, also when every character must be escaped', () => {
    for (const message of [
      large,
      rudeMessage({ title: '&'.repeat(400), sections: [{ kind: 'text', text: '<&>'.repeat(3_000) }] }),
    ]) {
      const { blocks } = slackPayload(message) as { blocks: { type: string; text?: { text: string } }[] };
      expect(blocks.length).toBeLessThanOrEqual(50);
      for (const { type, text } of blocks) {
        expect(text?.text.length ?? 0).toBeLessThanOrEqual(type === 'header' ? 150 : 3_000);
      }
    }
  });
});

describe('an e-mail', () => {
  test('as HTML has no element but its own', () => {
    const { html } = mailOf(rudeMessage({ title: 'FAILED <b>x</b>' }), 'lamp@contoso.com');
    const elements = new Set([...html.matchAll(/<([a-z0-9]+)/g)].map(([, name]) => name));
    const own = [
      'html',
      'head',
      'meta',
      'title',
      'body',
      'div',
      'h1',
      'p',
      'table',
      'tr',
      'th',
      'td',
      'ul',
      'li',
      'pre',
      'a',
    ];
    expect(own).toEqual(expect.arrayContaining([...elements]));
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect([...html.matchAll(/href="([^"]*)"/g)].every(([, url]) => url?.startsWith('https://lamp.example/'))).toBe(
      true,
    );
  });

  test('as text says everything in the stated order', () => {
    const { text } = mailOf(rudeMessage(), 'lamp@contoso.com');
    const order = [
      'FAILED score',
      'First step',
      'Since',
      'Changed since',
      'Last lines',
      'Owner',
      'Tier',
      'Open:',
      'Rerun:',
    ];
    const places = order.map((part) => text.indexOf(part));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places[0]).toBe(0);
  });
});

describe('texts of others', () => {
  test('become one line without controls, colours, hidden or turning characters, or queries of addresses', () => {
    const rude =
      '\u001b[31mred\u001b[0m\r\nSubject: x\u202egnp.exe \u200bhid\u0000den https://a.example/b?sig=abc#x \ud800';
    const plain = line(rude, 200);
    expect(plain).toBe('red Subject: xgnp.exe hidden https://a.example/b?… \ufffd');
    expect(plain.isWellFormed()).toBe(true);
  });

  test('of a megabyte are cut with a mark, at once', () => {
    const began = performance.now();
    expect(line('x'.repeat(1_048_576), 700)).toBe(`${'x'.repeat(699)}…`);
    expect(line('😀'.repeat(600_000), 700).isWellFormed()).toBe(true);
    expect(lastLines('y'.repeat(1_048_576), 15, 200)).toEqual([`${'y'.repeat(199)}…`]);
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test('of a log keep their depth and their end', () => {
    const log = `${'early\n'.repeat(100)}Traceback:\r\n  File "a.py"\n\tdeep\n\nKeyError: 1\n\n`;
    expect(lastLines(log, 4, 200)).toEqual(['Traceback:', '  File "a.py"', '    deep', 'KeyError: 1']);
  });

  test('the plain form of a message holds all of its parts', () => {
    expect(messageText(rudeMessage())).toContain('  | Traceback (most recent call last):');
  });
});
