import { type Message, messageText, type Section } from '../message.ts';
import type { Channel } from './channel.ts';
import { type HookOptions, hook } from './hook.ts';

/** Slack takes 3,000 characters a block and 50 blocks; Mattermost and others only read `text`, of 4,000 here. */
const mostText = 2_900;
const mostWhole = 3_900;

/** Slack's incoming webhooks, and those who take the same format (Mattermost, Rocket.Chat, Discord with /slack). */
export function slack(options: HookOptions): Channel {
  return hook('slack', options, (message) => JSON.stringify(slackPayload(message)));
}

export function slackPayload(message: Message): Record<string, unknown> {
  const { title, sections, links } = message;
  return {
    text: fallback(message),
    blocks: [
      { type: 'header', text: plain(title, 150) },
      ...sections.map((section) => ({ type: 'section', text: plain(texts(section), mostText) })),
      ...(links.length > 0
        ? [
            {
              type: 'actions',
              elements: links.map(({ label, url }) => ({ type: 'button', text: plain(label, 75), url })),
            },
          ]
        : []),
    ],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/** `plain_text` is never read as markup: no bold, no links, no mention. */
function plain(text: string, most: number) {
  let cut = text.toWellFormed();
  // What is escaped takes up to five times the room.
  while (neutral(cut).length > most) cut = `${cut.slice(0, Math.floor(cut.length * 0.8) - 1)}…`;
  return { type: 'plain_text', text: neutral(cut.toWellFormed()) || ' ', emoji: false };
}

function texts(section: Section): string {
  return messageText({ ...nothing, title: '', sections: [section] }).trim();
}

const nothing: Omit<Message, 'title' | 'sections'> = {
  key: '',
  thread: '',
  kind: 'test',
  severity: 'good',
  links: [],
  at: 0,
};

/** All in one fence, in which nothing is markup; it cannot be left from inside. */
function fallback({ title, sections, links }: Message): string {
  const body = messageText({ ...nothing, title, sections }).slice(0, mostWhole);
  const fence = neutral(body.replaceAll('`', "'").toWellFormed());
  const last = links.map(({ label, url }) => `<${url}|${label}>`).join(' · ');
  return `\`\`\`\n${fence}\n\`\`\`${last && `\n${last}`}`;
}

/** Slack reads `<!channel>` and `<@U…>` wherever `<` is not escaped; others read `@all` anywhere. */
function neutral(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.replace(/(?<![\w.+-])@(?=\w)/g, '@\u200b');
}
