import {
  acknowledged,
  afterTime,
  opened,
  reported,
  resolved,
  type Sighting,
  seenAgain,
} from '../../../shared/alerts/incident.ts';
import type { Message } from '../../../shared/alerts/message.ts';
import type { Instant } from '../../../shared/instant.ts';
import { minute } from '../../../shared/instant.ts';
import type { Incident } from '../../../shared/store/incidents.ts';
import { seven } from '../pipeline/cast.ts';

export const failure = (more: Partial<Sighting> = {}): Sighting => ({
  job: 'score',
  cause: 'failed',
  tier: 'critical',
  text: "KeyError: 'email'",
  errorClass: 'application',
  run: '20261120T070000Z',
  slot: seven,
  ...more,
});

/** One incident whose time passes minute by minute, as the tick would see it; keeps what would have been sent. */
export class Life {
  now: Instant = seven;
  incident: Incident | undefined;
  readonly sent: { at: Instant; kind: Incident['kind']; state: Incident['state']; level: number }[] = [];

  fail(more: Partial<Sighting> = {}): void {
    const seen = failure({ run: `run-${this.now}`, slot: this.now, ...more });
    this.incident = this.incident
      ? (seenAgain(this.incident, seen, this.now) ?? this.incident)
      : opened(seen, this.now);
  }

  succeed(): void {
    if (this.incident) this.incident = resolved(this.incident, this.now) ?? this.incident;
  }

  acknowledge(): void {
    if (this.incident) this.incident = acknowledged(this.incident, 'dana', '', this.now) ?? this.incident;
  }

  /** Lets time pass; each minute `each` may do something first. */
  pass(minutes: number, each: (minute: number) => void = () => {}): void {
    for (let at = 0; at < minutes; at += 1) {
      this.now += minute;
      each(at);
      this.tick();
    }
  }

  private tick(): void {
    if (!this.incident) return;
    this.incident = afterTime(this.incident, this.now) ?? this.incident;
    const { step, reported: done, reportAt, kind, state, level } = this.incident;
    if (done >= step || reportAt > this.now) return;
    this.sent.push({ at: this.now, kind, state, level });
    this.incident = reported(this.incident, step, this.now) ?? this.incident;
  }

  kinds(): string[] {
    return this.sent.map(({ kind }) => kind);
  }
}

/** A message with every kind of section, and texts that try to leave each format. */
export function rudeMessage(more: Partial<Message> = {}): Message {
  const rude = `</td><script>alert(1)</script> **bold** [link](https://evil.example) <!channel> @everyone @all <https://evil.example|ok> \`\`\` "'&`;
  return {
    key: 'score.failed.1.1',
    thread: 'score.failed.1',
    kind: 'opened',
    severity: 'critical',
    title: 'FAILED score',
    sections: [
      { kind: 'text', text: `The script stopped with an error of its own. ${rude}\n\nFirst step: read the error.` },
      {
        kind: 'facts',
        facts: [
          { name: 'Since', value: '2026-11-20 07:00 UTC, for 5 min; once' },
          { name: 'Run', value: rude },
        ],
      },
      { kind: 'list', heading: 'Changed since the last success', items: [rude, 'package pandas: 2.2.3 → 3.0.0'] },
      {
        kind: 'log',
        heading: 'Last lines',
        lines: ['Traceback (most recent call last):', '  File "score.py", line 12, in main', rude],
      },
      {
        kind: 'facts',
        facts: [
          { name: 'Owner', value: 'dana@contoso.com, Sales' },
          { name: 'Tier', value: 'critical' },
        ],
      },
    ],
    links: [
      { label: 'Open', url: 'https://lamp.example/api/alerts/abc' },
      { label: 'Acknowledge', url: 'https://lamp.example/api/alerts/abc?do=acknowledge' },
      { label: 'Rerun', url: 'https://lamp.example/api/alerts/abc?do=rerun' },
    ],
    at: seven,
    ...more,
  };
}
