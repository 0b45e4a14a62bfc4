import type { Transporter } from 'nodemailer';
import { line } from '../clean.ts';
import { type Channel, ChannelError } from './channel.ts';
import { read } from './hook.ts';
import { mailOf } from './letter.ts';

export interface SmtpOptions {
  name: string;
  host: string;
  port: number;
  tls: 'required' | 'implicit' | 'none';
  user?: string | undefined;
  password?: (() => Promise<string>) | undefined;
  from: string;
  to: readonly string[];
  /** One message takes no longer, ms. */
  limitMs: number;
  /** Certificates of its authority, PEM; undefined: those that Node trusts. */
  ca?: string | undefined;
}

/** E-mail over SMTP. Port 25 is closed in most clouds: 587 with STARTTLS, or 465 with TLS from the first byte. */
export function smtp(options: SmtpOptions): Channel {
  const { name, host, port, user, from } = options;
  const recipients = (to: readonly string[]) => (to.length > 0 ? to : options.to);
  return {
    name,
    place: async () => `e-mail by ${host}:${port}${user ? ` as ${user}` : ''}, from ${from}`,
    async send(message, given) {
      const to = recipients(given);
      if (to.length === 0) throw new ChannelError('it has no address to send to: add `to` in alerts.yaml', true);
      const { subject, text, html, headers, messageId, attachments } = mailOf(message, from);
      const transport = await open(options);
      try {
        const mail = {
          from: { name: 'Lamplighter', address: from },
          to: [...to],
          subject,
          text,
          html,
          headers,
          messageId,
          attachments: attachments.map(({ name: filename, type: contentType, content }) => {
            return { filename, contentType, content };
          }),
        };
        const { rejected = [] } = await withLimit(transport.sendMail(mail), options);
        const refused = rejected.map((one: string | { address: string }) =>
          typeof one === 'string' ? one : one.address,
        );
        if (refused.length > 0)
          throw new ChannelError(`${host} refuses ${refused.join(', ')}; others have got it`, true);
      } catch (error) {
        throw error instanceof ChannelError ? error : smtpError(error as SmtpFailure, host);
      } finally {
        transport.close();
      }
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

async function open({ host, port, tls, user, password, limitMs, ca }: SmtpOptions): Promise<Transporter> {
  // Loaded late: most starts of the service send no mail.
  const { createTransport } = await import('nodemailer');
  const auth = user === undefined || password === undefined ? undefined : { user, pass: await read(password) };
  return createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    ...(auth && { auth }),
    ...(ca && { tls: { ca } }),
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    dnsTimeout: limitMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

/** Its own limits are for each step; this one is for all of them. */
async function withLimit<T>(sending: Promise<T>, { host, limitMs }: SmtpOptions): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new ChannelError(`${host} did not take the message within ${limitMs / 1_000} s`, false));
  }, limitMs);
  sending.catch(() => {});
  try {
    return await Promise.race([sending, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** What nodemailer adds to its errors. */
type SmtpFailure = Error & { responseCode?: number; code?: string };

/** 4xx: later; 5xx: never (RFC 5321, 4.2.1). */
function smtpError(error: SmtpFailure, host: string): ChannelError {
  const { responseCode, code, message } = error;
  const permanent = responseCode !== undefined ? responseCode >= 500 : code === 'EENVELOPE' || code === 'EMESSAGE';
  const what = responseCode === undefined ? `cannot be reached: ${code ?? ''}` : `answers ${responseCode}:`;
  return new ChannelError(`${host} ${what} ${line(message, 200)}`, permanent, null, error);
}
