@description('What everything is called, as main.bicep computes it.')
param names object

@description('Names of the identities of the jobs.')
param jobIdentities array

@description('What the role that starts jobs is called for people, unique in the tenant.')
param starterTitle string

@description('Who may set secrets: objects of `objectId` and `type`.')
param secretOfficers array

@description('Days that history is kept.')
param retentionDays int

@description('Most GB of logs a day; -1 for no limit.')
param dailyLogGb int

@description('Whether what containers print goes to the workspace as well.')
param consoleLogs bool

@description('Whether every write and delete of the history is logged.')
param auditStorage bool

@description('Copies of the history.')
param dataRedundancy string

@description('Days that a blob of the history can be brought back.')
param undoDays int

@description('Days to any instant of which it can be put back; 0: not.')
param restoreDays int

@description('Whether the account that holds the history is locked against deletion.')
param lockData bool

@description('Days that deleted secrets can be brought back.')
param vaultSoftDeleteDays int

@description('Basic, Standard or Premium.')
param registrySku string

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Addresses of the network.')
param networkAddress string

@description('Whether what stands is spread over the buildings of the region.')
param spread bool

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

module identities 'identities.bicep' = {
  name: 'identities'
  params: {
    names: concat([names.appIdentity, names.secondSchedulerIdentity, names.pullIdentity], jobIdentities)
    location: location
    tags: tags
  }
}

module logs 'logs.bicep' = {
  name: 'logs'
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    appIdentityName: names.appIdentity
    retentionDays: retentionDays
    dailyLogGb: dailyLogGb
    location: location
    tags: tags
  }
  dependsOn: [identities]
}

module hostStorage 'host-storage.bicep' = {
  name: 'host-storage'
  params: {
    accountName: names.hostAccount
    appIdentityName: names.appIdentity
    access: access
    spread: spread
    location: location
    tags: tags
  }
  dependsOn: [identities]
}

module dataStorage 'data-storage.bicep' = {
  name: 'data-storage'
  params: {
    accountName: names.dataAccount
    appIdentityName: names.appIdentity
    workspaceName: names.workspace
    redundancy: dataRedundancy
    retentionDays: retentionDays
    undoDays: undoDays
    restoreDays: restoreDays
    access: access
    audit: auditStorage
    lock: lockData
    location: location
    tags: tags
  }
  dependsOn: [identities, logs]
}

module vault 'vault.bicep' = {
  name: 'vault'
  params: {
    vaultName: names.vault
    appIdentityName: names.appIdentity
    workspaceName: names.workspace
    secretOfficers: secretOfficers
    softDeleteDays: vaultSoftDeleteDays
    access: access
    location: location
    tags: tags
  }
  dependsOn: [identities, logs]
}

module registry 'registry.bicep' = {
  name: 'registry'
  params: {
    registryName: names.registry
    pullIdentityName: names.pullIdentity
    sku: registrySku
    access: access
    location: location
    tags: tags
  }
  dependsOn: [identities]
}

module containerApps 'environment.bicep' = {
  name: 'environment'
  params: {
    environmentName: names.environment
    workspaceName: names.workspace
    consoleLogs: consoleLogs
    access: access
    spread: spread
    location: location
    tags: tags
  }
  dependsOn: [logs, network]
}

module network 'network.bicep' = if (access.joined) {
  name: 'network'
  params: {
    networkName: names.network
    address: networkAddress
    access: access
    location: location
    tags: tags
  }
}

module endpoints 'endpoints.bicep' = if (access.private) {
  name: 'endpoints'
  params: {
    subnetId: access.endpointsSubnet
    targets: concat(
      // The two accounts in turn: Azure takes one change of an account at a time.
      flatten(map(
        ['blob', 'queue', 'table'],
        kind =>
          map([names.hostAccount, names.dataAccount], account => {
            name: 'pe-${account}-${kind}'
            id: resourceId('Microsoft.Storage/storageAccounts', account)
            kind: kind
            zone: 'privatelink.${kind}.${environment().suffixes.storage}'
          })
      )),
      [
        {
          name: 'pe-${names.vault}'
          id: resourceId('Microsoft.KeyVault/vaults', names.vault)
          kind: 'vault'
          zone: 'privatelink.vaultcore.azure.net'
        }
        {
          name: 'pe-${names.registry}'
          id: resourceId('Microsoft.ContainerRegistry/registries', names.registry)
          kind: 'registry'
          zone: 'privatelink.azurecr.io'
        }
      ]
    )
    location: location
    tags: tags
  }
  dependsOn: [hostStorage, dataStorage, vault, registry, network]
}

module starter 'starter.bicep' = {
  name: 'starter'
  params: {
    roleName: names.starterRole
    displayName: starterTitle
  }
}

@description('Address of the vault.')
output vaultUrl string = vault.outputs.url

@description('Server of the registry.')
output registryLoginServer string = registry.outputs.loginServer
