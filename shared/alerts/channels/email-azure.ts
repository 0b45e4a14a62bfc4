import { createHash } from 'node:crypto';
import type { TokenCredential } from '@azure/identity';
import { line } from '../clean.ts';
import { type Channel, ChannelError } from './channel.ts';
import { admit, type Guard } from './guard.ts';
import { mailOf } from './letter.ts';
import { post } from './post.ts';

export interface AzureEmailOptions {
  name: string;
  /** https://<name>.<region>.communication.azure.com */
  endpoint: string;
  from: string;
  to: readonly string[];
  /** Needs the role "Communication and Email Service Owner", or one with its send action, on the resource. */
  credential: TokenCredential;
  guard: Guard;
  /** One message takes no longer, token included, ms. */
  limitMs: number;
}

const version = '2025-09-01';
/** The service sends a message whose file it does not take, without the file. */
const evenWithout = { 'x-ms-acsemail-suppress-invalid-attachment': 'true' };
const scope = 'https://communication.azure.com/.default';

/**
 * E-mail by Azure Communication Services: `POST /emails:send`, which answers 202 once it has taken the message. Default
 * limits are 30 a minute and 100 an hour, answered with 429 and Retry-After.
 */
export function azureEmail(options: AzureEmailOptions): Channel {
  const { name, endpoint, from, credential, guard, limitMs } = options;
  const recipients = (to: readonly string[]) => (to.length > 0 ? to : options.to);
  return {
    name,
    place: async () => `e-mail by ${URL.parse(endpoint)?.host ?? endpoint}, from ${from}`,
    async send(message, given) {
      const to = recipients(given);
      if (to.length === 0) throw new ChannelError('it has no address to send to: add `to` in alerts.yaml', true);
      const { url, mayBePrivate } = admit(`${endpoint.replace(/\/$/, '')}/emails:send?api-version=${version}`, guard);
      const { subject, text, html, headers, attachments } = mailOf(message, from);
      const began = performance.now();
      const token = await tokenOf(credential, limitMs);
      const body = JSON.stringify({
        senderAddress: from,
        content: { subject, plainText: text, html },
        recipients: { to: to.map((address) => ({ address })) },
        headers: attachments.length > 0 ? { ...headers, ...evenWithout } : headers,
        ...(attachments.length > 0 && {
          attachments: attachments.map(({ name: file, type: contentType, content }) => {
            return { name: file, contentType, contentInBase64: Buffer.from(content).toString('base64') };
          }),
        }),
        userEngagementTrackingDisabled: true,
      });
      // The same operation twice is one message: the service knows it by its id.
      const sent = { authorization: `Bearer ${token}`, 'operation-id': uuid(`${message.key} ${to.join(' ')}`) };
      const left = Math.max(Math.round(limitMs - (performance.now() - began)), 1);
      await post({ url, mayBePrivate, body, headers: sent, limitMs: left });
    },
    preview(message, to) {
      const { subject, text, html } = mailOf(message, from);
      const head = `To: ${recipients(to).join(', ')}\nSubject: ${subject}\n\n`;
      return {
        parts: [
          { type: 'text/plain', text: head + text },
          { type: 'text/html', text: html },
        ],
      };
    },
  };
}

/** The abort signal does not reach a managed identity's endpoint that hangs: this limit does. */
async function tokenOf(credential: TokenCredential, limitMs: number): Promise<string> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${limitMs / 1_000} s`)), limitMs);
  try {
    const token = await Promise.race([credential.getToken(scope), late.promise]);
    if (!token) throw new Error('the identity has none');
    return token.token;
  } catch (error) {
    throw new ChannelError(`no token for e-mail: ${line((error as Error).message, 200)}`, false, null, error);
  } finally {
    clearTimeout(timer);
  }
}

function uuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
