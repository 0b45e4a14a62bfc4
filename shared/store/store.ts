import type { Instant } from '../instant.ts';
import { type Active, active, activeCodec } from './active.ts';
import type { Attempts } from './attempts.ts';
import { type Audit, audit, broughtCodec, placedCodec } from './audit.ts';
import type { Bundles } from './bundles.ts';
import { type Drift, drift, findingCodec, stateCodec } from './drift.ts';
import { type Events, eventCodec, events } from './events.ts';
import type { Files } from './files.ts';
import { type Incidents, incidents, openIncidentCodec, pastIncidentCodec } from './incidents.ts';
import { type JobRows, jobCodec, jobRows } from './jobs.ts';
import { type Keys, keyCodec, keys } from './keys.ts';
import type { Launches } from './launches.ts';
import { type UsedLinks, usedLinkCodec, usedLinks } from './links.ts';
import { type Metrics, metricCodec, metrics } from './metrics.ts';
import { doneCodec, type Outbox, outbox, waitingCodec } from './outbox.ts';
import { type Places, placeCodec, places } from './places.ts';
import { dayCodec, type RecentRuns, recentCodec, recentRuns } from './recent.ts';
import { type Replays, replayedCodec, replayStateCodec, replays } from './replays.ts';
import { type Requests, requestCodec, requests } from './requests.ts';
import { type Runs, runCodec, runs } from './runs.ts';
import { type Marks, markCodec, marks } from './service.ts';
import { type Silences, silenceCodec, silences } from './silences.ts';
import type { Codec, Table } from './table.ts';

/** Everything that lasts. */
export interface Store {
  runs: Runs;
  active: Active;
  /** Of attempts that may run at once. */
  places: Places;
  jobs: JobRows;
  events: Events;
  audit: Audit;
  incidents: Incidents;
  outbox: Outbox;
  silences: Silences;
  usedLinks: UsedLinks;
  metrics: Metrics;
  drift: Drift;
  replays: Replays;
  recent: RecentRuns;
  marks: Marks;
  keys: Keys;
  requests: Requests;
  launches: Launches;
  attempts: Attempts;
  bundles: Bundles;
  /** Creates what is missing; calling it again is cheap and harmless. */
  prepare(): Promise<void>;
  /** What time it is at the store, in whole seconds: the one clock that all hosts share. */
  time(): Promise<Instant>;
}

/** A store whose content can be carried to another one. */
export interface KeptStore extends Store {
  /** The rows of a table, by a codec of the caller's choice. */
  rows<T>(name: string, codec: Codec<T>): Table<T>;
  /** What attempts have left, below `<job>/<run>/<attempt>/`, and bundles, `<digest>.zip`, as they are. */
  files: { attempts: Files; bundles: Files };
}

/** What of a store is not made of rows: each backend brings its own. */
type Own = 'launches' | 'attempts' | 'bundles' | 'prepare' | 'time';
export type Rows = Omit<Store, Own>;

/** All that is kept as rows, over the tables of a backend. @param open the rows of one kind in the table of that name */
export function rowsOver(open: <T>(name: string, codec: Codec<T>) => Table<T>): Rows {
  const chain = audit(open('audit', placedCodec), open('audit', broughtCodec));
  return {
    runs: runs(open('runs', runCodec)),
    active: active(open('active', activeCodec)),
    places: places(open('active', placeCodec)),
    jobs: jobRows(open('jobs', jobCodec)),
    audit: chain,
    events: events(open('events', eventCodec), chain),
    incidents: incidents(open('incidents', openIncidentCodec), open('incidents', pastIncidentCodec)),
    outbox: outbox(open('outbox', waitingCodec), open('outbox', doneCodec)),
    metrics: metrics(open('metrics', metricCodec)),
    drift: drift(open('drift', stateCodec), open('drift', findingCodec)),
    replays: replays(open('drift', replayStateCodec), open('drift', replayedCodec)),
    silences: silences(open('incidents', silenceCodec)),
    usedLinks: usedLinks(open('incidents', usedLinkCodec)),
    recent: recentRuns(open('recent', recentCodec), open('recent', dayCodec)),
    marks: marks(open('service', markCodec)),
    requests: requests(open('requests', requestCodec)),
    keys: keys(open('service', keyCodec)),
  };
}
