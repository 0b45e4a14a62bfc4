import { afterEach, describe, expect, test } from 'vitest';
import { ChannelError } from '../../shared/alerts/channels/channel.ts';
import { smtp } from '../../shared/alerts/channels/email-smtp.ts';
import { openPostOffice, openRudePort } from '../support/alerts/post-office.ts';
import { rudeMessage } from '../support/alerts/story.ts';

/** Long enough for a machine under load; where a test waits for its end it is short. */
const patient = 20_000;
const brief = 400;
const to = ['ops@contoso.com'];
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function failure(sending: Promise<void>): Promise<ChannelError> {
  const error = await sending.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ChannelError);
  const { message } = error as ChannelError;
  for (const secret of ['s3cret', 't0ken', 'k3y', 'hunter2']) expect(message).not.toContain(secret);
  return error as ChannelError;
}

describe('smtp', () => {
  const at = (port: number, more: Partial<Parameters<typeof smtp>[0]> = {}) =>
    smtp({
      name: 'mail',
      host: '127.0.0.1',
      port,
      tls: 'none',
      from: 'lamp@contoso.com',
      to: [],
      limitMs: patient,
      ...more,
    });
  const refuse = (responseCode: number) => Object.assign(new Error('policy says no'), { responseCode });

  test('delivers text and HTML, marked as automatic, with an id of the message', async () => {
    const office = await openPostOffice();
    open.push(office);
    await at(office.port).send(rudeMessage(), ['ops@contoso.com', 'dana@contoso.com']);
    const [mail] = office.mails;
    expect(mail?.to).toEqual(['ops@contoso.com', 'dana@contoso.com']);
    expect(mail?.raw).toMatch(/^Subject: FAILED score\r$/m);
    expect(mail?.raw).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(mail?.raw).toMatch(/^Importance: high\r$/im);
    expect(mail?.raw).toMatch(/^Content-Type: text\/plain/m);
    expect(mail?.raw).toMatch(/^Content-Type: text\/html/m);
  });

  test('a picture comes as a file, whole, and without one there is none', async () => {
    const office = await openPostOffice();
    open.push(office);
    const picture = `<svg xmlns="http://www.w3.org/2000/svg"><text>${'é<'.length}</text></svg>`;
    await at(office.port).send({ ...rudeMessage(), picture }, to);
    await at(office.port).send(rudeMessage(), to);
    const [mail, plain] = office.mails.map(({ raw }) => raw);
    expect(mail).toMatch(/^Content-Type: image\/svg\+xml; name=drift.svg/m);
    expect(mail).toMatch(/^Content-Disposition: attachment; filename=drift.svg/m);
    const file = /filename=drift\.svg\r\n\r\n([\s\S]*?)\r\n--/.exec(mail ?? '')?.[1] ?? '';
    const sent = /^Content-Transfer-Encoding: base64/m.test(mail ?? '') ? Buffer.from(file, 'base64').toString() : file;
    expect(sent.trim()).toBe(picture);
    expect(plain).not.toContain('svg');
  });

  test('later messages of an incident join the thread of the first, and a second copy has the same id', async () => {
    const office = await openPostOffice();
    open.push(office);
    for (const key of ['score.failed.1.1', 'score.failed.1.1', 'score.failed.1.2']) {
      await at(office.port).send(rudeMessage({ key }), to);
    }
    const header = (name: string) =>
      office.mails.map(({ raw }) => new RegExp(`^${name}: (.*)\\r$`, 'm').exec(raw)?.[1]);
    const [first, again, later] = header('Message-ID');
    expect(again).toBe(first);
    expect(later).not.toBe(first);
    expect(header('In-Reply-To')).toEqual([undefined, undefined, first]);
    expect(header('References')).toEqual([undefined, undefined, first]);
  });

  test.each([
    [550, true],
    [451, false],
  ])('a recipient refused with %i: permanent is %s', async (code, permanent) => {
    const office = await openPostOffice({ onRcptTo: (_address, _session, done) => done(refuse(code)) });
    open.push(office);
    const error = await failure(at(office.port).send(rudeMessage(), to));
    expect(error.permanent).toBe(permanent);
    expect(error.message).toContain(`${code}`);
  });

  test('one of two recipients refused is not passed over', async () => {
    const office = await openPostOffice({
      onRcptTo: ({ address }, _session, done) => (address.startsWith('gone') ? done(refuse(550)) : done()),
    });
    open.push(office);
    const error = await failure(at(office.port).send(rudeMessage(), ['ops@contoso.com', 'gone@contoso.com']));
    expect(error.message).toContain('gone@contoso.com');
    expect(office.mails[0]?.to).toEqual(['ops@contoso.com']);
  });

  test('signs in, and a wrong password is not tried again', async () => {
    const office = await openPostOffice({
      authOptional: false,
      allowInsecureAuth: true,
      onAuth: ({ username, password }, _session, done) =>
        password === 'hunter2' ? done(null, { user: username ?? '' }) : done(refuse(535)),
    });
    open.push(office);
    const signIn = (password: string) => at(office.port, { user: 'lamp', password: async () => password });
    await signIn('hunter2').send(rudeMessage(), to);
    expect(office.mails[0]?.user).toBe('lamp');
    expect((await failure(signIn('hunter22').send(rudeMessage(), to))).permanent).toBe(true);
  });

  test('never sends in clear where TLS is required', async () => {
    const office = await openPostOffice();
    open.push(office);
    await failure(at(office.port, { tls: 'required' }).send(rudeMessage(), to));
    expect(office.mails).toHaveLength(0);
  });

  test.each([
    ['silent', () => {}],
    ['hanging up', (socket: { destroy(): unknown }) => socket.destroy()],
    ['greeting and then silent', (socket: { write(text: string): unknown }) => socket.write('220 hello\r\n')],
  ])('a server that is %s: gives up in time, and may try again', async (_what, meet) => {
    const port = await openRudePort(meet);
    open.push(port);
    const began = performance.now();
    expect((await failure(at(port.port, { limitMs: brief }).send(rudeMessage(), to))).permanent).toBe(false);
    expect(performance.now() - began).toBeLessThan(15_000);
  });

  test('without any address it says what to add', async () => {
    const error = await failure(at(1).send(rudeMessage(), []));
    expect(error).toMatchObject({ permanent: true });
    expect(error.message).toContain('add `to` in alerts.yaml');
  });
});
