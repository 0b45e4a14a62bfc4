import type { TokenCredential } from '@azure/identity';
import { openAlerts } from '../shared/alerts/alerts.ts';
import { identity } from '../shared/clients/credential.ts';
import { containerAppsExecutor } from '../shared/executors/container-apps/container-apps.ts';
import { nudges } from '../shared/executors/nudge.ts';
import { hour } from '../shared/instant.ts';
import type { Catalog } from '../shared/job/catalog.ts';
import type { Parts } from '../shared/parts.ts';
import { keyVault } from '../shared/secrets/keyvault/keyvault.ts';
import { keyVaultValues } from '../shared/secrets/keyvault/values.ts';
import { openStore } from '../shared/store/azure/store.ts';
import { countedFrom } from '../shared/store/launches.ts';
import type { Store } from '../shared/store/store.ts';
import { readPackagedAlerts } from './alerts.ts';
import { readCatalog } from './catalog.ts';
import { readSettings, type Settings } from './settings.ts';

/** Everything but where events go, which differs with each invocation. */
export type Installation = Omit<Parts, 'emit'> & { app: Settings };

/** An execution that has not begun by then is another's: Azure may take half an hour to start one. */
const ticketMs = 2 * hour;

/**
 * Puts the service together for Azure, from the settings of the app.
 * @param unreadable called for each job of the package that this version cannot read: the others run. @throws BadSettings, or an incomplete package
 */
export async function composeAzure(
  environment: NodeJS.ProcessEnv,
  folder: string,
  unreadable?: (job: string, error: unknown) => void,
): Promise<Installation> {
  const app = readSettings(environment);
  const catalog = await readCatalog(folder, unreadable);
  const credential = credentialOf(app);
  const store = storeOf(app, credential);
  const vault = keyVault({ url: app.LAMPLIGHTER_KEY_VAULT_URL, credential });
  return {
    app,
    store,
    catalog: () => catalog,
    limit: app.LAMPLIGHTER_MAX_RUNNING,
    executor: executorOf(app, credential, catalog, store),
    vault,
    alerts: await alertsOf(app, credential, store, folder),
    settings: { nudges: nudges(app.LAMPLIGHTER_APP_URL, () => store.keys('nudge')), cache: null },
    person: 'lamplighter',
  };
}

async function alertsOf(app: Settings, credential: TokenCredential, { keys }: Store, folder: string) {
  const settings = await readPackagedAlerts(folder);
  const vault = keyVaultValues({ url: app.LAMPLIGHTER_KEY_VAULT_URL, credential });
  return openAlerts({ settings, vault, keys, address: app.LAMPLIGHTER_APP_URL, credential, now: Date.now });
}

function credentialOf({ AZURE_CLIENT_ID, AZURE_FUNCTIONS_ENVIRONMENT }: Settings): TokenCredential {
  return identity({ clientId: AZURE_CLIENT_ID, developer: AZURE_FUNCTIONS_ENVIRONMENT === 'Development' });
}

function storeOf({ storage }: Settings, credential: TokenCredential): Store {
  const store = openStore('connection' in storage ? storage : { ...storage, credential });
  return { ...store, launches: countedFrom(Date.now, store.launches) };
}

function executorOf(app: Settings, credential: TokenCredential, catalog: Catalog, store: Store) {
  return containerAppsExecutor({
    credential,
    subscription: app.LAMPLIGHTER_SUBSCRIPTION_ID,
    resourceGroup: app.LAMPLIGHTER_RESOURCE_GROUP,
    prefix: app.LAMPLIGHTER_JOB_PREFIX,
    image: app.LAMPLIGHTER_IMAGE,
    endpoint: app.LAMPLIGHTER_MANAGEMENT_URL,
    jobs: (name) => catalog.get(name)?.job,
    ticket: (spec) => store.attempts.ticket(spec, spec, Date.now() + ticketMs),
  });
}
