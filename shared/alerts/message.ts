import type { Instant } from '../instant.ts';
import type { Severity, Step } from '../store/incidents.ts';

/** One link of a message. None of them acts when it is only opened. */
export interface Link {
  label: 'Open' | 'Acknowledge' | 'Rerun' | 'Answer';
  url: string;
}

/** A part of a message, in the order in which they are read. */
export type Section =
  | { kind: 'text'; text: string }
  | { kind: 'facts'; facts: { name: string; value: string }[] }
  | { kind: 'list'; heading: string; items: string[] }
  /** Lines of a log: as they are, in a fixed-width font. */
  | { kind: 'log'; heading: string; lines: string[] };

/**
 * What an alert says, for every channel alike: plain texts, cleaned and cut, in no channel's format. Each channel makes
 * them harmless in its own.
 */
export interface Message {
  /** The same for the same message: receivers may drop a second one. */
  key: string;
  /** The same for all messages about one incident, or group of them. */
  thread: string;
  kind: Step | 'test' | 'receipt';
  severity: Severity | 'good';
  /** State and job: `FAILED score-prospects`. */
  title: string;
  sections: Section[];
  links: Link[];
  /** An SVG of a few kilobytes, for channels that carry files; left out: there is none. */
  picture?: string;
  /** The same for hosts that show no SVG. */
  image?: Image;
  at: Instant;
}

export interface Image {
  /** Base64 of a few kilobytes. */
  png: string;
  /** What it shows, for people who do not see it. */
  words: string;
}

/** The message as plain text: e-mail, terminals, logs. */
export function messageText({ title, sections, links }: Message): string {
  const last = links.map(({ label, url }) => `${label}: ${url}`).join('\n');
  return [title, ...sections.map(sectionText), ...(last === '' ? [] : [last])].join('\n\n');
}

function sectionText(section: Section): string {
  switch (section.kind) {
    case 'text':
      return section.text;
    case 'facts':
      return section.facts.map(({ name, value }) => `${name}: ${value}`).join('\n');
    case 'list':
      return [`${section.heading}:`, ...section.items.map((item) => `- ${item}`)].join('\n');
    case 'log':
      return [`${section.heading}:`, ...section.lines.map((one) => `  | ${one}`)].join('\n');
  }
}
