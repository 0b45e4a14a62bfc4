@description('Name of the registry that holds the runtime image.')
param registryName string

@description('The one identity that pulls images, for all jobs: its right is made with the registry, minutes before the first job is.')
param pullIdentityName string

@description('Basic, Standard or Premium.')
param sku string

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var roles = loadJsonContent('../roles.json')

resource pullIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: pullIdentityName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: registryName
  location: location
  tags: tags
  sku: { name: sku }
  properties: {
    adminUserEnabled: false
    publicNetworkAccess: access.public
    networkRuleBypassOptions: 'AzureServices'
    // Only Premium has rules.
    networkRuleSet: access.private
      ? {
          defaultAction: access.others
          ipRules: map(access.allowed, address => {
            value: address
            action: 'Allow'
          })
        }
      : null
  }
}

// Container Apps checks the pull when a job is made, and refuses the job while this right is not effective yet.
resource pull 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, pullIdentity.id, roles.acrPull)
  scope: registry
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
    principalId: pullIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}

@description('Server of the registry.')
output loginServer string = registry.properties.loginServer
