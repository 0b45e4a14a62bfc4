import { createHash } from 'node:crypto';
import { type Message, messageText, type Section } from '../message.ts';

/** A message as an e-mail: subject, plain text and HTML, and what makes later ones join its thread. */
export interface Mail {
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string>;
  /** The same for the same message: a second copy of it is recognised as one. */
  messageId: string;
  /** An SVG: most mail programs show none inside a text, and open it as a file. */
  attachments: { name: string; type: 'image/svg+xml'; content: string }[];
}

export function mailOf(message: Message, from: string): Mail {
  const domain = from.slice(from.lastIndexOf('@') + 1);
  const id = (text: string) => `<${createHash('sha256').update(text).digest('hex').slice(0, 32)}@${domain}>`;
  const root = id(message.thread);
  const messageId = message.key === `${message.thread}.1` ? root : id(message.key);
  const alone = messageId === root || message.kind === 'test' || message.kind === 'receipt';
  const reply: Record<string, string> = alone ? {} : { 'In-Reply-To': root, References: root };
  const urgent: Record<string, string> = message.severity === 'critical' ? { Importance: 'high' } : {};
  return {
    subject: message.title,
    text: messageText(message),
    html: htmlOf(message),
    // Without these out-of-office answers come back to the service.
    headers: { 'X-Lamplighter-Key': message.key, 'Auto-Submitted': 'auto-generated', ...reply, ...urgent },
    messageId,
    attachments:
      message.picture === undefined ? [] : [{ name: 'drift.svg', type: 'image/svg+xml', content: message.picture }],
  };
}

const colours: Record<Message['severity'], string> = {
  critical: '#b3261e',
  error: '#b3261e',
  warning: '#8a5a00',
  good: '#1b6e3c',
};

function htmlOf({ title, severity, sections, links }: Message): string {
  const buttons = links.map(
    ({ label, url }) =>
      `<a href="${escaped(url)}" style="display:inline-block;margin:0 8px 8px 0;padding:8px 16px;border:1px solid #5b6b7b;border-radius:4px;color:inherit;text-decoration:none">${label}</a>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>${escaped(title)}</title></head>
<body style="margin:0;padding:16px;font:15px/1.45 system-ui,-apple-system,'Segoe UI',sans-serif">
<div style="max-width:680px;border-left:6px solid ${colours[severity]};padding:4px 0 4px 16px">
<h1 style="font-size:20px;line-height:1.25;margin:0 0 12px">${escaped(title)}</h1>
${sections.map(sectionHtml).join('\n')}
${buttons.length > 0 ? `<p style="margin:20px 0 0">${buttons.join('')}</p>` : ''}
</div></body></html>
`;
}

function sectionHtml(section: Section): string {
  switch (section.kind) {
    case 'text':
      return section.text
        .split('\n\n')
        .map((text) => `<p style="margin:0 0 12px;overflow-wrap:anywhere">${escaped(text)}</p>`)
        .join('\n');
    case 'facts':
      return `<table role="presentation" style="border-collapse:collapse;margin:0 0 12px;font-size:14px">${section.facts
        .map(
          ({ name, value }) =>
            `<tr><th scope="row" style="text-align:left;vertical-align:top;padding:2px 12px 2px 0;font-weight:600;white-space:nowrap">${escaped(name)}</th><td style="padding:2px 0;overflow-wrap:anywhere">${escaped(value)}</td></tr>`,
        )
        .join('')}</table>`;
    case 'list':
      return `<p style="margin:0;font-weight:600">${escaped(section.heading)}</p><ul style="margin:4px 0 12px;padding-left:20px">${section.items
        .map((item) => `<li style="overflow-wrap:anywhere">${escaped(item)}</li>`)
        .join('')}</ul>`;
    case 'log':
      return `<p style="margin:0;font-weight:600">${escaped(section.heading)}</p><pre style="margin:4px 0 12px;padding:8px;border:1px solid #8795a1;border-radius:4px;font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere">${section.lines.map(escaped).join('\n')}</pre>`;
  }
}

function escaped(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
