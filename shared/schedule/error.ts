/** Why a text is no schedule; for a person at a manifest or a command line. */

export type FieldName = 'minute' | 'hour' | 'day of month' | 'month' | 'day of week';
export type ScheduleErrorCode = 'cron' | 'field' | 'six-fields' | 'macro' | 'zone-in-cron' | 'impossible' | 'time-zone';

/** A schedule that should not run. `message`: the value and what was expected; `hint`: what to do. Trying again never helps. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
  readonly code: ScheduleErrorCode;
  readonly field?: FieldName;
  readonly value: string;
  readonly hint: string;

  constructor(code: ScheduleErrorCode, value: string, message: string, hint: string, field?: FieldName) {
    super(message);
    this.code = code;
    this.value = value;
    this.hint = hint;
    if (field !== undefined) this.field = field;
  }
}
