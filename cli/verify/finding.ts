/** What `lamp verify` says about one thing. What could not be looked at is not right either. */
export interface Finding {
  check: string;
  /** `note`: all works, and something is to be tidied up. */
  state: 'right' | 'note' | 'wrong' | 'unknown';
  text: string;
  /** What to do; null when it is right. */
  remedy: string | null;
}

/** Something that was asked of Azure, or why it could not be. */
export type Asked<T> = { value: T } | { why: string };

export const right = (check: string, text: string): Finding => ({ check, state: 'right', text, remedy: null });
export const note = (check: string, text: string, remedy: string): Finding => ({ check, state: 'note', text, remedy });
export const wrong = (check: string, text: string, remedy: string): Finding => ({
  check,
  state: 'wrong',
  text,
  remedy,
});
export const unknown = (check: string, why: string): Finding => ({
  check,
  state: 'unknown',
  text: why,
  remedy: 'nothing is known about this: fix what the message says, then verify again',
});

/** Begins the text of a note about what only a machine elsewhere can look at. */
export const unseenHere = 'not looked at';

/** One finding for each problem, or one that says that all is well. */
export function found(check: string, problems: Finding[], well: string): Finding[] {
  return problems.length > 0 ? problems : [right(check, well)];
}
