// Everything that Lamplighter needs on Azure, in one resource group. Deploy it in three stages (see `stage`): a first
// deployment has to make the vault and the registry before anyone can put secrets and an image into them.
//
// Safe to deploy again, and to preview with what-if: all names, and the ids of all role assignments, are computed from
// the resource group and from names, so nothing changes unless a parameter or a job did. Nothing is ever deleted: the
// Container Apps Job of a job that is gone stays until a person removes it, and does nothing.
//
// Who deploys needs Owner on the resource group, or Contributor and User Access Administrator: Role Based Access Control
// Administrator alone may not write the custom role of starter.bicep, nor the lock of `lockData`.
targetScope = 'resourceGroup'

// What and where.
@description('Name of this installation, part of the name of each resource: lower-case letters, digits, single hyphens.')
@minLength(2)
@maxLength(10)
param name string
@description('Region. It must offer Flex Consumption with Node 24 (az functionapp list-flexconsumption-runtimes) and Container Apps.')
param location string = resourceGroup().location
@description('How far to go. `foundation`: storage, vault, registry, logs, identities. `access`: also the right of each job to read its own secrets, which must exist by then. `all`: also the app, the jobs, the alerts. A first deployment takes them in this order, with secrets set after the first and the image pushed after the second; rights take minutes to be effective, and the push gives them that. Later deployments need `all` alone, with the secrets of new jobs set before.')
@allowed(['foundation', 'access', 'all'])
param stage string = 'all'
@description('Digest of the runtime image, `sha256:` and 64 hexadecimal digits, as pushed to the registry under the name lamplighter-runtime. Needed by the stage `all`; going back to an earlier image is deploying its digest.')
param runtimeImageDigest string = ''
@description('Tags of every resource, for the bill.')
param tags object = { application: 'lamplighter' }

// Who may call the app, and who may set secrets.
@description('Application (client) id of the Entra app registration that stands for the app: no one reaches the app without a token for it. The registration must be single-tenant, have a service principal, and issue version 2 tokens (api.requestedAccessTokenVersion = 2), else every caller gets 401.')
@minLength(36)
@maxLength(36)
param authClientId string
@description('Object ids of the people and service principals who may call the app besides the second scheduler: the one that runs `lamp verify`. No one by default.')
@maxLength(12)
param callers array = []
@description('Object ids of groups whose members may call the app: for more than 12 callers, which is all that Azure takes by their own ids (500 characters).')
@maxLength(12)
param callerGroups array = []
@description('Client ids that those callers may use. By default the Azure CLI; add the client id of a pipeline that calls as itself.')
param callerClients array = ['04b07795-8ddb-461a-bbee-02f9e1bf7b46']
@description('Who may set secrets in the vault: objects of `objectId` and `type` (User, Group or ServicePrincipal). Owner of the subscription is not enough to set one.')
param secretOfficers array = []

// Who is notified, and of what.
@description('Addresses that alerts go to. At least one: an installation that can notify no one is not deployed.')
@minLength(1)
param alertEmails array
@description('Whether alert rules are at work. Each costs about $0.50 a month when it looks every 15 minutes, $1.50 every 5 minutes; the eight of them together about $6.')
param alertsEnabled bool = true
@description('Whether the action group stands already: then it is left as it is, with receivers that someone added by hand. `lamp deploy` looks, and adds new addresses by themselves.')
param keepActionGroup bool = false
@description('Address of docs/runbook.md as your people read it, e.g. https://github.com/contoso/jobs/blob/main/docs/runbook.md: each alert links to its part of it. Empty: an alert names the file.')
param runbookUrl string = ''
@description('US dollars a month at which `alertEmails` get a mail, at 80 percent of it spent and at 100 percent foreseen; 0: no budget.')
@minValue(0)
param monthlyBudget int = 0
@description('First day of the month in which the budget was made. `lamp deploy` gives it.')
param budgetStart string = '2026-12-01'

// What is kept, how long, and in how many places.
@description('Days that history is kept: rows, logs and results of runs, and the logs and events of the workspace. At least 183: what the EU AI Act asks of high-risk systems. Application Insights tables cost nothing for the first 90 days, other logs for the first 31; then about $0.10 per GB and month.')
@minValue(183)
@maxValue(730)
param retentionDays int = 400
@description('Most GB of logs a day, -1 for no limit. A limit that is reached also stops the heartbeat, so the alert `no tick` follows. Logs cost about $2.76 per GB; 500 jobs with 24 runs a day write about 50 MB of events.')
@minValue(-1)
param dailyLogGb int = -1
@description('Whether what containers print goes to the workspace as well. The log of a run is kept in storage without it; this is for a shim that cannot reach storage. Costs as other logs do.')
param consoleLogs bool = true
@description('Whether every write and delete of the history is logged, for auditors. About 30 lines of 1 KB a run, so about $1 a month per 400 runs a day.')
param auditStorage bool = false
@description('Copies of the history. Standard_LRS: one building; Standard_ZRS: three buildings, about 25 % more; Standard_GZRS: another region too, about 2.2 times.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param dataRedundancy string = 'Standard_ZRS'
@description('Whether the account that holds the history is locked against deletion. The lock has to be removed before the installation can be torn down.')
param lockData bool = true
@description('Days that a blob of the history can be brought back after it was deleted or written over. Rows of tables cannot: Azure has nothing for them but copies (dataRedundancy) and the lock.')
@minValue(1)
@maxValue(365)
param undoDays int = 14
@description('Days to any instant of which results, outputs and code can be put back as a whole (point-in-time restore); 0: not. Azure does it for block blobs alone: neither for logs, which are append blobs, nor for tables. It keeps every version of each heartbeat for as long.')
@minValue(0)
@maxValue(360)
param restoreDays int = 0
@description('Days that a deleted vault and deleted secrets can be brought back; no one can purge them earlier. Cannot be changed once the vault exists, and as long the name of the vault cannot be used anew.')
@minValue(7)
@maxValue(90)
param vaultSoftDeleteDays int = 90

// In whose network, and in how many buildings. All three are chosen with the first deployment: Azure changes none of them in what
// stands. What each costs a month: docs/cost.md.
@description('`public`: storage, vault and registry have public addresses and are guarded by Entra alone. `private`: they are reached over private endpoints in a network of this installation only (about $115 a month: 8 endpoints, 5 DNS zones, a Premium registry, address and load balancer of the environment). `closed`: so is the app; who calls it, publishes to it or runs `lamp verify` must be in the network (about $8 more).')
@allowed(['public', 'private', 'closed'])
param network string = 'public'
@description('Addresses of that network, at least a /24. Take some that no network has which this one will be connected with.')
param networkAddress string = '10.214.0.0/24'
@description('Public addresses, or ranges of them, that reach storage, vault and registry from outside all the same, e.g. the way out of your office: ["203.0.113.7", "198.51.100.0/28"]. With none of them public access is off. Storage takes no /31 and no /32.')
param allowedAddresses array = []
@description('`off`: everything in one building but what Azure spreads by itself. `jobs`: jobs and storage go on when a building fails; needs a network, so the environment has one (about $22 a month for its address and load balancer). `all`: the app too; Azure then keeps two instances of each of its five functions ready (about $210 a month more).')
@allowed(['off', 'jobs', 'all'])
param zones string = 'off'

// How much there is room for.
@description('Basic: $5 a month, 10 GB; Standard: $20, 100 GB and twice the throughput, for a hundred jobs that start at once.')
@allowed(['Basic', 'Standard', 'Premium'])
param registrySku string = 'Basic'
@description('Instances of the tick that are always there. 0: the platform starts one each minute, which costs next to nothing. One of 2 GB costs about $21 a month, and is the thing to try when ticks are late.')
@minValue(0)
@maxValue(5)
param alwaysReadyTicks int = 0
@description('Most instances of the app. Each function has instances of its own; three are usual.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40
@description('Memory of an instance. 2048 leaves room for an hour with thousands of due runs.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048
@description('Attempts at once. The environment gives 100 cores by default (a quota that can be raised), so 200 jobs of 0.5 cores.')
@minValue(1)
@maxValue(5000)
param maxRunning int = 50
@description('When the second scheduler calls the app, in UTC, as five cron fields. Every 5 minutes is 8,640 calls a month of up to 45 s × 0.25 vCPU: at most 97,000 of the 180,000 vCPU seconds that are free each month, else $2.90. The alert `no tick` looks at 15 minutes, so not rarer than that.')
param secondSchedulerSchedule string = '*/5 * * * *'

// Made by `npm run package`. `any`: its type, taken from these very jobs, would know no secret where none has one.
var index = any(loadJsonContent('jobs.json'))
var suffix = take(uniqueString(resourceGroup().id, name), 8)
var letters = replace(name, '-', '')
var names = {
  hostAccount: 'st${letters}host${suffix}'
  dataAccount: 'st${letters}data${suffix}'
  vault: 'kv-${name}-${suffix}'
  registry: 'cr${letters}${suffix}'
  workspace: 'log-${name}'
  insights: 'appi-${name}'
  environment: 'cae-${name}'
  plan: 'asp-${name}'
  app: 'func-${name}-${suffix}'
  appIdentity: 'id-${name}-app'
  pullIdentity: 'id-${name}-pull'
  secondSchedulerIdentity: 'id-${name}-second-scheduler'
  jobIdentityPrefix: 'id-${name}-'
  // No hyphen, so that no job of any name can be called the same.
  secondScheduler: '${index.prefix}second-scheduler'
  imageRepository: 'lamplighter-runtime'
  actionGroup: 'ag-${name}'
  network: 'vnet-${name}'
  starterRole: guid(resourceGroup().id, name, 'job-starter')
}
// Without the part after the colon this fails before anything is deployed.
var digest = stage == 'all' ? 'sha256:${split(runtimeImageDigest, ':')[1]}' : ''
var image = '${names.imageRepository}@${digest}'

// The same copies, and in this region over three buildings.
var overBuildings = {
  Standard_LRS: 'Standard_ZRS'
  Standard_ZRS: 'Standard_ZRS'
  Standard_GRS: 'Standard_GZRS'
  Standard_GZRS: 'Standard_GZRS'
}

var joined = network != 'public' || zones != 'off'
// How things are reached, for all modules alike.
var access = {
  joined: joined
  private: network != 'public'
  closed: network == 'closed'
  public: network != 'public' && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
  // For one who comes from a public address that no rule names.
  others: network == 'public' ? 'Allow' : 'Deny'
  allowed: network == 'public' ? [] : allowedAddresses
  jobsSubnet: joined ? resourceId('Microsoft.Network/virtualNetworks/subnets', names.network, 'jobs') : ''
  appSubnet: network == 'public' ? '' : resourceId('Microsoft.Network/virtualNetworks/subnets', names.network, 'app')
  endpointsSubnet: network == 'public' ? '' : resourceId('Microsoft.Network/virtualNetworks/subnets', names.network, 'endpoints')
}

// What must stand before there can be secrets, an image and jobs.
module foundation 'modules/foundation.bicep' = {
  name: 'foundation'
  params: {
    names: names
    jobIdentities: map(index.jobs, job => '${names.jobIdentityPrefix}${job.resource}')
    starterTitle: 'Lamplighter job starter (${name}-${suffix})'
    secretOfficers: secretOfficers
    retentionDays: retentionDays
    dailyLogGb: dailyLogGb
    consoleLogs: consoleLogs
    auditStorage: auditStorage
    dataRedundancy: zones != 'off' ? overBuildings[dataRedundancy] : dataRedundancy
    undoDays: undoDays
    restoreDays: restoreDays
    lockData: lockData
    vaultSoftDeleteDays: vaultSoftDeleteDays
    // No other has private endpoints.
    registrySku: network == 'public' ? registrySku : 'Premium'
    access: access
    networkAddress: networkAddress
    spread: zones != 'off'
    location: location
    tags: tags
  }
}

// In slices, one after the other. Azure counts a template after its loops are expanded: 4 MB and 800 resources at most, and
// 1 MB for what one deployment hands over. Each job repeats the whole of job.bicep there.
var sliceSize = 40

@batchSize(1)
module jobs 'modules/jobs.bicep' = [for slice in range(0, (length(index.jobs) + sliceSize - 1) / sliceSize): {
  name: 'jobs-${slice}'
  params: {
    jobs: take(skip(index.jobs, slice * sliceSize), sliceSize)
    stage: stage
    names: names
    image: image
    location: location
    tags: tags
  }
  dependsOn: [foundation]
}]

module service 'modules/service.bicep' = if (stage == 'all') {
  name: 'service'
  params: {
    names: names
    image: image
    jobPrefix: index.prefix
    alertSecrets: index.alertSecrets
    authClientId: authClientId
    callers: callers
    callerGroups: callerGroups
    callerClients: callerClients
    alwaysReadyTicks: alwaysReadyTicks
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    maxRunning: maxRunning
    retentionDays: retentionDays
    secondSchedulerSchedule: secondSchedulerSchedule
    access: access
    spread: zones == 'all'
    location: location
    tags: tags
  }
  dependsOn: [foundation]
}

module monitoring 'modules/monitoring.bicep' = if (stage == 'all') {
  name: 'monitoring'
  params: {
    installation: name
    names: names
    alertEmails: alertEmails
    alertsEnabled: alertsEnabled
    keepActionGroup: keepActionGroup
    runbookUrl: runbookUrl
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
    location: location
    tags: tags
  }
  dependsOn: [foundation]
}

@description('The stage that this deployment went to.')
output stage string = stage
@description('Name of the function app: `func azure functionapp publish <appName> --no-build`. It exists from the stage `all` on.')
output appName string = names.app
@description('Address of the function app; empty before the stage `all`.')
output appUrl string = stage == 'all' ? service!.outputs.appUrl : ''
@description('The Entra app registration that callers ask a token for.')
output authClientId string = authClientId
@description('Name of the vault that secrets are set in.')
output vaultName string = names.vault
@description('Address of the vault.')
output vaultUrl string = foundation.outputs.vaultUrl
@description('Name of the registry, for `az acr build --registry`.')
output registryName string = names.registry
@description('Server of the registry, the first part of an image\'s name.')
output registryLoginServer string = foundation.outputs.registryLoginServer
@description('What the runtime image is called in the registry.')
output imageRepository string = names.imageRepository
@description('Storage account with the history.')
output dataAccountName string = names.dataAccount
@description('Storage account of the Functions runtime and of the deployed package.')
output hostAccountName string = names.hostAccount
@description('Container Apps environment that the jobs run in.')
output environmentName string = names.environment
@description('Container Apps Job that ticks the app when nothing else does.')
output secondSchedulerName string = names.secondScheduler
@description('Container Apps Job of each job, and the identity it runs as.')
output jobs array = [for job in index.jobs: {
  name: job.name
  resource: job.resource
  identity: '${names.jobIdentityPrefix}${job.resource}'
  secrets: map(job.secrets, secret => toLower(secret.name))
}]
@description('Name of the app\'s identity.')
output appIdentityName string = names.appIdentity
@description('Name of the second scheduler\'s identity.')
output secondSchedulerIdentityName string = names.secondSchedulerIdentity
@description('Name of the identity that pulls the image for all of them.')
output pullIdentityName string = names.pullIdentity
@description('Name (a GUID) of the custom role with which the app starts jobs.')
output starterRoleName string = names.starterRole
@description('Log Analytics workspace, for queries.')
output workspaceName string = names.workspace
@description('Action group that alerts go to.')
output actionGroupName string = names.actionGroup
