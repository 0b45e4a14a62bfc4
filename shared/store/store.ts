import type { TableClient } from '@azure/data-tables';
import { openAccount, type StorageAccount, type StorageLimits, usualLimits } from '../clients/storage.ts';
import type { Instant } from '../instant.ts';
import { type Active, active, activeCodec } from './active.ts';
import { type Attempts, attempts } from './attempts.ts';
import { type Bundles, bundles } from './bundles.ts';
import { type Drift, drift, findingCodec, stateCodec } from './drift.ts';
import { type Events, eventCodec, events } from './events.ts';
import { type Incidents, incidents, openIncidentCodec, pastIncidentCodec } from './incidents.ts';
import { type JobRows, jobCodec, jobRows } from './jobs.ts';
import { type Keys, keyCodec, keys } from './keys.ts';
import { type Launches, launches } from './launches.ts';
import { type UsedLinks, usedLinkCodec, usedLinks } from './links.ts';
import { type Metrics, metricCodec, metrics } from './metrics.ts';
import { doneCodec, type Outbox, outbox, waitingCodec } from './outbox.ts';
import { type Places, placeCodec, places } from './places.ts';
import { dayCodec, type RecentRuns, recentCodec, recentRuns } from './recent.ts';
import { type Requests, requestCodec, requests } from './requests.ts';
import { type Runs, runCodec, runs } from './runs.ts';
import { type Marks, markCodec, marks } from './service.ts';
import { type SignBlob, signWithDelegation, signWithKey } from './signature.ts';
import { type Silences, silenceCodec, silences } from './silences.ts';
import { type Codec, table } from './table.ts';

/** Everything that lasts. */
export interface Store {
  runs: Runs;
  active: Active;
  /** Of attempts that may run at once. */
  places: Places;
  jobs: JobRows;
  events: Events;
  incidents: Incidents;
  outbox: Outbox;
  silences: Silences;
  usedLinks: UsedLinks;
  metrics: Metrics;
  drift: Drift;
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

/**
 * Opens Azure Storage, or Azurite. Nothing is sent before the first use.
 * @param given a text is a connection string
 * @param sign not given: as the account is opened, by its key or by a key of the identity
 */
export function openStore(given: string | StorageAccount, sign?: SignBlob, limits: StorageLimits = usualLimits): Store {
  const account = typeof given === 'string' ? { connection: given } : given;
  const services = openAccount(account, limits);
  const { blobs, queues } = services;
  const signed = sign ?? ('connection' in account ? signWithKey : signWithDelegation(blobs, Date.now));
  const tables: TableClient[] = [];
  const open = <T>(name: string, codec: Codec<T>) => {
    const client = services.table(name);
    tables.push(client);
    return table(client, codec);
  };
  const containers = { runs: blobs.getContainerClient('runs'), bundles: blobs.getContainerClient('bundles') };
  const queue = { launch: queues.getQueueClient('launch'), poison: queues.getQueueClient('launch-poison') };

  return {
    runs: runs(open('runs', runCodec)),
    active: active(open('active', activeCodec)),
    places: places(open('active', placeCodec)),
    jobs: jobRows(open('jobs', jobCodec)),
    events: events(open('events', eventCodec)),
    incidents: incidents(open('incidents', openIncidentCodec), open('incidents', pastIncidentCodec)),
    outbox: outbox(open('outbox', waitingCodec), open('outbox', doneCodec)),
    metrics: metrics(open('metrics', metricCodec)),
    drift: drift(open('drift', stateCodec), open('drift', findingCodec)),
    silences: silences(open('incidents', silenceCodec)),
    usedLinks: usedLinks(open('incidents', usedLinkCodec)),
    recent: recentRuns(open('recent', recentCodec), open('recent', dayCodec)),
    marks: marks(open('service', markCodec)),
    requests: requests(open('requests', requestCodec)),
    keys: keys(open('service', keyCodec)),
    launches: launches(queue.launch, queue.poison),
    attempts: attempts(containers.runs, signed, limits.blobsMs),
    bundles: bundles(containers.bundles, signed),
    async prepare() {
      await Promise.all([
        ...tables.map((client) => client.createTable()),
        ...Object.values(containers).map((client) => client.createIfNotExists()),
        ...Object.values(queue).map((client) => client.createIfNotExists()),
      ]);
    },
    async time() {
      const { date } = await containers.runs.getProperties();
      if (!date) throw new Error('storage answered without a Date');
      return date.getTime();
    },
  };
}
