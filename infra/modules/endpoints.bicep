@description('Subnet that the endpoints are in.')
param subnetId string

@description('What is reached: objects of `name` (of the endpoint), `id` (of the resource), `kind` (what of it) and `zone` (where its name is).')
param targets array

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

// Two at a time, of two resources: see foundation.bicep.
@batchSize(2)
resource endpoints 'Microsoft.Network/privateEndpoints@2024-01-01' = [for target in targets: {
  name: target.name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: target.kind
        properties: {
          privateLinkServiceId: target.id
          groupIds: [target.kind]
        }
      }
    ]
  }
}]

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [for target in targets: {
  name: target.zone
}]

// Writes the address of the endpoint into the zone, and changes it with the endpoint.
resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-01-01' = [for (target, i) in targets: {
  parent: endpoints[i]
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: target.kind
        properties: { privateDnsZoneId: zones[i].id }
      }
    ]
  }
}]
