import { minute } from '../instant.ts';

/**
 * Slots are claimed this long before their instant, so that they start on time even when a tick is late. Ticks and slots
 * both come on whole minutes, a few ms early or late: half a minute more, and nothing turns on those.
 */
export const lookAhead = 1.5 * minute;
