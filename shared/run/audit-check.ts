import { type AuditEntry, digestOf, type Head, noEntry } from './audit-chain.ts';

/** A link of the audit that does not hold. */
export interface Broken {
  kind: 'changed' | 'removed' | 'inserted' | 'reordered';
  /** Number of the entry; null: what was inserted has none. */
  entry: number | null;
  day: string;
  /** What is wrong, for people. */
  text: string;
}

export type Report = (kind: Broken['kind'], entry: number | null, day: string, text: string) => void;

/** Looks at a chain from its newest entry down to its oldest, link by link. @param top the number it must begin with */
export class ChainCheck {
  #above: AuditEntry | undefined;
  /** What a broken entry says of the one before it proves nothing. */
  #sound = false;
  readonly #top: number;
  readonly #report: Report;

  constructor(top: number, report: Report) {
    this.#top = top;
    this.#report = report;
  }

  /** @param at the number under which the entry stands, whatever it says of itself */
  take(at: number, entry: AuditEntry): void {
    if (!this.#above) this.#missing(at + 1, this.#top, entry.day);
    this.#link(at, entry);
    const whole = digestOf(entry) === entry.digest;
    if (entry.number !== at && whole) this.#report('reordered', at, entry.day, `it holds entry ${entry.number}`);
    else if (entry.number !== at) this.#report('changed', at, entry.day, 'its number was changed');
    else if (!whole) this.#report('changed', at, entry.day, 'its text does not give its digest');
    this.#sound = whole && entry.number === at;
  }

  /** What stands there is no entry. @param number null: under a key that no host gives */
  unreadable(number: number | null): void {
    const day = this.#above?.day ?? '';
    if (number === null) this.#report('inserted', null, day, 'a row of the audit has a key that no host gives');
    else this.#report('changed', number, day, 'it cannot be read');
  }

  /** What the oldest was chained to. @param before the entry under the number before `from`; undefined: there is none */
  end(from: number, before: AuditEntry | undefined): void {
    const oldest = this.#above;
    if (before) this.#link(from - 1, before);
    else this.#missing(Math.max(from - 1, 1), oldest ? oldest.number - 1 : this.#top, oldest?.day ?? '');
    if (oldest?.number === 1 && oldest.previous !== noEntry.digest) {
      this.#report('removed', 1, oldest.day, 'entries came before it that are not there');
    }
  }

  #link(at: number, entry: AuditEntry): void {
    const above = this.#above;
    this.#above = { ...entry, number: at };
    if (!above) return;
    this.#missing(at + 1, above.number - 1, above.day);
    if (above.number !== at + 1 || !this.#sound) return;
    if (above.previous !== entry.digest) {
      this.#report('changed', at, entry.day, `it is not the entry that ${at + 1} was chained to`);
    }
    if (above.day < entry.day) this.#report('changed', at, entry.day, `its day is after that of entry ${at + 1}`);
  }

  #missing(from: number, to: number, day: string): void {
    if (from > to) return;
    this.#report('removed', from, day, from === to ? 'it is not there' : `entries ${from} to ${to} are not there`);
  }
}

/** A head that was kept elsewhere says what the chain was up to there. @param entry what stands under its number now */
export function checkKept(kept: Head, entry: AuditEntry | undefined, report: Report): void {
  if (!entry) report('removed', kept.number, kept.day, 'its head was kept elsewhere, and it is not there');
  else if (entry.digest !== kept.digest || digestOf(entry) !== kept.digest) {
    const text = 'its digest is not the one that was kept elsewhere: it, or entries before it, were written anew';
    report('changed', kept.number, kept.day, text);
  }
}
