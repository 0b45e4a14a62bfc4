@description('Name of the account that holds the history. It outlives the app.')
param accountName string

@description('Identity of the app. Containers of jobs have no right here: each attempt gets signed addresses of its own blobs.')
param appIdentityName string

@description('Workspace for the audit log.')
param workspaceName string

@description('Copies of the data.')
param redundancy string

@description('Days that the blobs of runs are kept. The rows are deleted by the app.')
param retentionDays int

@description('Days in which a blob that was deleted, or written over, can be brought back.')
param undoDays int

@description('Days to any instant of which block blobs can be put back as a whole; 0: not.')
param restoreDays int

@description('Whether writes and deletes are logged.')
param audit bool

@description('Whether the account is locked against deletion.')
param lock bool

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var roles = loadJsonContent('../roles.json')
// Azure wants the one to be longer than the other.
var deletedDays = max(undoDays, restoreDays + 1)

resource appIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: appIdentityName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: accountName
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: access.public
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: access.others
      ipRules: map(access.allowed, address => {
        value: address
        action: 'Allow'
      })
    }
  }
}

// No versions unless they are asked for: all blobs but the heartbeat are written once, and soft delete keeps what was before a
// deletion or an overwriting just as well, and clears it away by itself. To put back a whole instant Azure wants versions and
// the list of changes.
resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: {
      enabled: true
      days: deletedDays
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: deletedDays
    }
    isVersioningEnabled: restoreDays > 0
    changeFeed: restoreDays > 0 ? { enabled: true, retentionInDays: deletedDays } : { enabled: false }
    restorePolicy: restoreDays > 0 ? { enabled: true, days: restoreDays } : { enabled: false }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [for container in ['runs', 'bundles']: {
  parent: blobs
  name: container
  properties: {
    publicAccess: 'None'
  }
}]

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource queueNames 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' = [for queue in ['launch', 'launch-poison']: {
  parent: queues
  name: queue
}]

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: account
  name: 'default'
}

resource tableNames 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-06-01' = [for table in [
  'runs'
  'active'
  'audit'
  'jobs'
  'drift'
  'events'
  'incidents'
  'metrics'
  'outbox'
  'requests'
  'recent'
  'service'
]: {
  parent: tables
  name: table
}]

// A `spec.json` whose shim never came goes with its run: a rule cannot distinguish it, as rules know only how a name
// begins. What it holds is worthless by then, as its signed addresses have expired.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        // Else the versions of each heartbeat would stay as long as its run. Also without restoreDays: an account that had
        // them once keeps the versions of that time for ever.
        {
          name: 'versions-after-restore'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'] }
            actions: {
              version: {
                delete: { daysAfterCreationGreaterThan: deletedDays }
              }
            }
          }
        }
        {
          name: 'runs-after-retention'
          enabled: true
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: ['runs/']
            }
            actions: {
              baseBlob: {
                delete: { daysAfterModificationGreaterThan: retentionDays }
              }
            }
          }
        }
      ]
    }
  }
  dependsOn: [blobs]
}

// Blob Data Contributor on the whole account also gives the user delegation key that addresses are signed with.
resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for role in [
  roles.storageBlobDataContributor
  roles.storageQueueDataContributor
  roles.storageTableDataContributor
]: {
  name: guid(account.id, appIdentity.id, role)
  scope: account
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    principalId: appIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}]

resource blobAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (audit) {
  name: 'lamplighter'
  scope: blobs
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource tableAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (audit) {
  name: 'lamplighter'
  scope: tables
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource deletionLock 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: 'history'
  scope: account
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the history of all runs. Remove this lock only to tear the installation down.'
  }
}
