import type { Image, Message, Section } from '../message.ts';
import { messageText } from '../message.ts';
import type { Channel } from './channel.ts';
import { type HookOptions, hook } from './hook.ts';

/** Teams refuses messages of 28 KB and more, envelope included. */
export const teamsLimit = 27_000;

const colours: Record<Message['severity'], string> = {
  critical: 'Attention',
  error: 'Attention',
  warning: 'Warning',
  good: 'Good',
};

/** Microsoft Teams, by the address of a workflow "When a Teams webhook request is received". It answers 202. */
export function teams(options: HookOptions): Channel {
  return hook('teams', options, (message) => JSON.stringify(teamsPayload(message)));
}

/**
 * The envelope that Workflows expect, with an Adaptive Card 1.4 that is small enough. A picture goes before the log does:
 * it is shown as a PNG inside the card, for Teams shows no SVG and fetches only from addresses that are open to all.
 */
export function teamsPayload(message: Message): Record<string, unknown> {
  const { image: _image, ...plain } = message;
  for (let cut = 0; ; cut += 1) {
    const whole = cut === 0 ? [message, plain] : [plain];
    for (const one of whole) {
      const payload = envelope({ ...one, sections: one.sections.map((section) => shortened(section, cut)) });
      if (Buffer.byteLength(JSON.stringify(payload)) < teamsLimit || cut === 8) return payload;
    }
  }
}

/** Each time half of a list or log goes, its end last: what failed stands there. */
function shortened(section: Section, cut: number): Section {
  const keep = (count: number) => Math.floor(count / 2 ** cut);
  if (section.kind === 'log')
    return { ...section, lines: section.lines.slice(-keep(section.lines.length) || Number.POSITIVE_INFINITY) };
  if (section.kind === 'list' && cut > 0) {
    return { ...section, items: [...section.items.slice(0, keep(section.items.length)), '… (cut)'] };
  }
  if (section.kind === 'text' && cut > 2) return { ...section, text: `${section.text.slice(0, 4_000 / cut)}…` };
  return section;
}

function envelope(message: Message): Record<string, unknown> {
  return {
    type: 'message',
    summary: message.title,
    attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card(message) }],
  };
}

/** Every text that is not ours stands in a RichTextBlock: its runs are plain, markdown in them is only shown. */
function card({ title, severity, sections, links, image, ...rest }: Message): Record<string, unknown> {
  return {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    fallbackText: messageText({ title, severity, sections: sections.slice(0, 1), links: [], ...rest }).slice(0, 1_000),
    body: [
      run(title, { size: 'Large', weight: 'Bolder', color: colours[severity] }),
      ...sections.slice(0, 1).flatMap(elements),
      ...(image ? [picture(image)] : []),
      ...sections.slice(1).flatMap(elements),
    ],
    ...(links.length > 0 && {
      actions: links.map(({ label, url }) => ({ type: 'Action.OpenUrl', title: label, url })),
    }),
  };
}

/** https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format: PNG, JPEG, GIF */
function picture({ png, words }: Image): Record<string, unknown> {
  return { type: 'Image', url: `data:image/png;base64,${png}`, altText: words, size: 'Stretch' };
}

function elements(section: Section): Record<string, unknown>[] {
  switch (section.kind) {
    case 'text':
      return section.text.split('\n\n').map((text) => run(text));
    case 'facts':
      return section.facts.map(({ name, value }, index) => ({
        type: 'RichTextBlock',
        spacing: index === 0 ? 'Medium' : 'Small',
        inlines: [
          { type: 'TextRun', text: `${name}: `, weight: 'Bolder' },
          { type: 'TextRun', text: value },
        ],
      }));
    case 'list':
      return [
        run(section.heading, { weight: 'Bolder' }),
        ...section.items.map((item) => ({ ...run(`• ${item}`), spacing: 'Small' })),
      ];
    case 'log':
      return [
        run(section.heading, { weight: 'Bolder' }),
        {
          type: 'Container',
          style: 'emphasis',
          spacing: 'Small',
          items: section.lines.map((one) => ({
            ...run(monospaced(one), { fontType: 'Monospace', size: 'Small' }),
            spacing: 'None',
          })),
        },
      ];
  }
}

/** Renderers drop blanks at the beginning of a line: Python's depth would be lost. */
function monospaced(text: string): string {
  return text.replace(/^ +/, (blanks) => '\u00a0'.repeat(blanks.length));
}

function run(text: string, more: Record<string, string> = {}): Record<string, unknown> {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: text === '' ? ' ' : text, ...more }] };
}
