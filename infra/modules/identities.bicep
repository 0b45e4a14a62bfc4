@description('Names of the user-assigned identities: one for the app, one for the second scheduler, one for each job. At most 800.')
param names array

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

@batchSize(20)
resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = [for name in names: {
  name: name
  location: location
  tags: tags
}]
