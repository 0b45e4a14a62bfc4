import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { html } from 'hono/html';
import { answer } from '../actions/drift.ts';
import { acknowledge } from '../actions/incidents.ts';
import { rerun } from '../actions/rerun.ts';
import { said, stateWord } from '../alerts/cause.ts';
import { type AlertLinks, type LinkAct, linkActs, type Ticket, useOf } from '../alerts/links.ts';
import { type Answer, answers, type Finding } from '../drift/finding.ts';
import { type Instant, iso } from '../instant.ts';
import type { Parts } from '../parts.ts';
import { isFinal } from '../run/run.ts';
import type { Incident } from '../store/incidents.ts';
import { visible } from '../text.ts';

/**
 * The page behind the links of messages. To open it changes nothing: mail scanners follow links. Only the
 * button in it acts, once for each link; who has the link is who the message was for.
 */
export function alertLinkPages(parts: Parts, links: AlertLinks, clock: () => Instant): Hono {
  const app = new Hono();

  app.use('*', async (c, next) => {
    await next();
    c.header(
      'content-security-policy',
      "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    // The address is what lets one act: it goes nowhere else, and is not kept. Without any referrer a browser would hide
    // the origin of the button's request as well.
    c.header('referrer-policy', 'same-origin');
    c.header('cache-control', 'no-store');
    c.header('x-content-type-options', 'nosniff');
    c.header('x-robots-tag', 'noindex');
  });
  app.get('/:token', async (c) => {
    const ticket = await links.read(c.req.param('token'), clock());
    if (!ticket) return c.html(page('This link does not work', tooOld), 404);
    const incident = await current(parts, ticket);
    const wanted = linkActs.find((act) => act === c.req.query('do'));
    return c.html(page(titleOf(ticket, incident), question(ticket, incident, wanted)));
  });
  app.post(
    '/:token',
    bodyLimit({ maxSize: mostForm, onError: (c) => c.text('expected at most 16 KB', 413) }),
    async (c) => {
      const token = c.req.param('token');
      const ticket = await links.read(token, clock());
      if (!ticket) return c.html(page('This link does not work', tooOld), 404);
      const form: Record<string, unknown> = await c.req.parseBody().catch(() => ({}));
      const order = orderOf(form);
      if (typeof order === 'string') return c.html(page('Nothing was done', html`<p>${order}</p>`), 400);
      const { act } = order;
      const refused = await cannot(parts, ticket, act);
      if (refused) return c.html(page('Nothing was done', html`<p>${refused}</p>`), 409);
      if (!(await parts.store.usedLinks.use(useOf(token, act), ticket.until))) {
        return c.html(page('This link was used already', html`<p>Each button of a message works once.</p>`), 409);
      }
      return c.html(page('Done', await perform(parts, ticket, order, clock())));
    },
  );
  return app;
}

interface Order {
  act: LinkAct;
  /** Of an answer. */
  answer?: Answer;
  why?: string;
}

const mostWhy = 1_000;
/** Bytes of a form: a character of the word takes up to nine, as it comes in UTF-8 with a `%xx` for each byte. */
const mostForm = 16_384;

/** What was pressed; text: what is wrong with it. */
function orderOf(form: Record<string, unknown>): Order | string {
  const act = linkActs.find((one) => one === form.do);
  if (act && act !== 'answer') return { act };
  const chosen = answers.find((one) => one === form.do);
  if (!chosen) return 'Expected a button of the page to be pressed.';
  // A browser counts the end of a line as one character for `maxlength`, and sends two.
  const why = typeof form.why === 'string' ? form.why.replace(/\r\n?/g, '\n').trim() : '';
  if (why === '' || why.length > mostWhy)
    return `Expected why, in 1 to ${mostWhy} characters: go back, write it, and press the button again.`;
  return { act: 'answer', answer: chosen, why };
}

const tooOld = html`<p>It is older than three days, or it was cut off on its way. Open the newest message, or use
  <code>lamp incidents</code>.</p>`;

async function current({ store }: Parts, { incident }: Ticket): Promise<Incident | undefined> {
  const found = (await store.incidents.get(incident))?.value;
  return found?.id === incident.id ? found : undefined;
}

function titleOf({ incident: { job, cause } }: Ticket, incident: Incident | undefined): string {
  const state =
    !incident || incident.state === 'resolved' ? ' (over)' : incident.state === 'acknowledged' ? ' (acknowledged)' : '';
  return `${stateWord[cause]} ${job ?? 'the service'}${state}`;
}

function question({ run }: Ticket, incident: Incident | undefined, wanted: LinkAct | undefined) {
  if (!incident) return html`<p>This incident is over and in the history.</p>`;
  const { what, firstStep } = said(incident);
  const button = (act: LinkAct, label: string) =>
    html`<form method="post"><button name="do" value="${act}" class="${act === wanted ? 'wanted' : ''}">${label}</button></form>`;
  const taken = incident.acknowledged;
  return html`<p>${visible(what)}</p>
    <p><b>First step:</b> ${visible(firstStep)}</p>
    <p>Since ${iso(incident.since)}, ${incident.count === 1 ? 'once' : `${incident.count} times`}.${taken ? ` Acknowledged by ${visible(taken.by)}.` : ''}</p>
    ${incident.state === 'open' ? button('acknowledge', 'Acknowledge: I look after it') : ''}
    ${incident.cause === 'drift' ? answerForm : run === null ? '' : button('rerun', `Rerun ${incident.job}`)}`;
}

/** One form: the word on what is right goes with whichever button is pressed. */
const answerForm = html`<form method="post">
  <p><label for="why">What do you know of it? It is kept with your answer.</label></p>
  <p><textarea id="why" name="why" rows="3" maxlength="${mostWhy}" required></textarea></p>
  <p><button name="do" value="expected">Expected from now on</button> The new results are right, and the new normal.</p>
  <p><button name="do" value="once">A one-off</button> Right or explained, and it will pass: the normal stays as it was.</p>
  <p><button name="do" value="real">A real problem</button> It stays open until the results are as they were.</p>
</form>`;

async function findingOf({ store }: Parts, { incident: { job, subject } }: Ticket): Promise<Finding | undefined> {
  return job === null ? undefined : (await store.drift.findings(job, mostFindings)).find(({ id }) => id === subject);
}

/** Findings of a job that are looked through for one; a link is good for three days. */
const mostFindings = 100;

/** Why nothing can be done now; the link stays good for later. */
async function cannot(parts: Parts, ticket: Ticket, act: LinkAct): Promise<string | undefined> {
  if (act === 'rerun') return cannotRerun(parts, ticket);
  if (act !== 'answer') return undefined;
  const state = ticket.incident.cause === 'drift' ? (await findingOf(parts, ticket))?.state : undefined;
  if (state === undefined) return 'There is no finding to answer.';
  if (state === 'open' || state === 'real') return undefined;
  return state === 'recovered'
    ? 'There is nothing to answer any more: the results are as they were.'
    : 'It is answered already; lamp events says by whom and why.';
}

/** What works beside itself may send twice. */
async function cannotRerun({ store, catalog }: Parts, { incident: { job }, run }: Ticket): Promise<string | undefined> {
  if (job === null || run === null) return 'There is no run to repeat.';
  if (!catalog().has(job)) return `The folder of ${job} is gone: deploy it again, then press Rerun.`;
  const past = (await store.runs.get(job, run))?.value;
  if (!past) return 'There is no run to repeat.';
  return isFinal(past.state) ? undefined : `Run ${job}.${run} is ${past.state}: cancel it, or wait until it is over.`;
}

async function perform(parts: Parts, ticket: Ticket, { act, ...word }: Order, now: Instant) {
  const { incident, run, sentTo } = ticket;
  // Whose mailbox or channel had the link is all that is known of the one that pressed the button.
  const asked = { by: `link of an alert for ${sentTo ?? 'a channel'}`, why: `incident ${incident.id}` };
  if (act === 'acknowledge') {
    const done = await acknowledge(parts, incident, asked, now);
    return done
      ? html`<p>It is acknowledged, and escalated no further.</p>`
      : html`<p>There was nothing to acknowledge: it is over, or someone has it already.</p>`;
  }
  if (word.answer !== undefined) {
    const finding = await findingOf(parts, ticket);
    if (!finding) return html`<p>There is no finding to answer.</p>`;
    await answer(parts, finding, word.answer, { by: asked.by, why: word.why ?? '' }, now);
    return html`<p>${doneOf[word.answer]}</p>`;
  }
  const past = incident.job === null || run === null ? undefined : await parts.store.runs.get(incident.job, run);
  if (!past) return html`<p>There is no run to repeat.</p>`;
  const next = await rerun(parts, past.value, asked, now);
  return html`<p>Run ${next.job}.${next.id} is queued.</p>`;
}

const doneOf: Record<Answer, string> = {
  expected: 'The new results are what is expected from now on. The alert is over.',
  once: 'These runs are left out of what is usual. The alert is over.',
  real: 'It is kept as a real problem, and open until the results are as they were.',
};

function page(title: string, body: unknown) {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>${title}</title>
<style>
body { font: 17px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.4rem } form { margin: 1rem 0 }
button { font: inherit; padding: .6rem 1.2rem; min-height: 44px }
textarea { font: inherit; width: 100%; box-sizing: border-box } .wanted { font-weight: 700; border-width: 3px }
</style></head><body><main><h1>${title}</h1>${body}</main></body></html>`;
}
