@description('Name of the vault. IT sets the secrets in it; none but the dummy of the canary is set, read or known here.')
param vaultName string

@description('Identity of the app, which sees names, versions and expiry of secrets, and no value.')
param appIdentityName string

@description('Workspace for the audit log: who read which secret when.')
param workspaceName string

@description('Who may set secrets: objects of `objectId` and `type`.')
param secretOfficers array

@description('Days that deleted secrets can be brought back.')
param softDeleteDays int

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var roles = loadJsonContent('../roles.json')

resource appIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: appIdentityName
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: vaultName
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enablePurgeProtection: true
    publicNetworkAccess: access.public
    networkAcls: {
      // Deployments are among these services: the canary's secret below comes by one.
      bypass: 'AzureServices'
      defaultAction: access.others
      ipRules: map(access.allowed, address => { value: address })
    }
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appIdentity.id, roles.keyVaultReader)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultReader)
    principalId: appIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

// For the canary alone (infra/canary): of no worth, and the same each time.
resource canary 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {
  parent: vault
  name: 'lamplighter-canary'
  properties: {
    value: 'canary-${uniqueString(vault.id)}'
    contentType: 'dummy'
  }
}

resource officers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for officer in secretOfficers: {
  name: guid(vault.id, officer.objectId, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
    principalId: officer.objectId
    principalType: officer.type
  }
}]

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'lamplighter'
  scope: vault
  properties: {
    workspaceId: workspace.id
    // To the table AZKVAuditLogs, whose retention can be set, and not to the one that all services share.
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      { categoryGroup: 'audit', enabled: true }
    ]
  }
}

@description('Address of the vault.')
output url string = vault.properties.vaultUri
