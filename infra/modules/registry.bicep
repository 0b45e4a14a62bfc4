@description('Name of the registry that holds the runtime image.')
param registryName string

@description('Basic, Standard or Premium.')
param sku string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' = {
  name: registryName
  location: location
  tags: tags
  sku: { name: sku }
  properties: {
    adminUserEnabled: false
    publicNetworkAccess: 'Enabled'
  }
}

@description('Server of the registry.')
output loginServer string = registry.properties.loginServer
