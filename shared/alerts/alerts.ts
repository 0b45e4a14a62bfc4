import type { Instant } from '../instant.ts';
import type { Incident } from '../store/incidents.ts';
import type { Channel } from './channels/channel.ts';
import type { Link } from './message.ts';
import type { AlertSettings } from './settings.ts';

/** What an installation alerts with; put together once, at start-up. */
export interface Alerts {
  settings: AlertSettings;
  channels: ReadonlyMap<string, Channel>;
  /** Links of a message about an incident; left out: no one could open them. */
  links?: (incident: Incident, now: Instant) => Promise<Link[]>;
}
