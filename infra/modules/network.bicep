@description('Name of the virtual network.')
param networkName string

@description('Its addresses, at least a /24.')
param address string

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var toEnvironments = [
  {
    name: 'environments'
    properties: { serviceName: 'Microsoft.App/environments' }
  }
]

// Flex Consumption and a Container Apps environment want a subnet each that is delegated to the same service: never the same
// one. A size cannot be changed later. Ten attempts take an address; instances of the app one each, 40 at most. A way out to the
// internet stays: jobs, Entra and Azure's management need it, and newer versions of this API close it by default.
resource network 'Microsoft.Network/virtualNetworks@2024-01-01' = {
  name: networkName
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [address] }
    subnets: [
      {
        name: 'jobs'
        properties: {
          addressPrefix: cidrSubnet(address, 25, 0)
          delegations: toEnvironments
          defaultOutboundAccess: true
        }
      }
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(address, 26, 2)
          delegations: toEnvironments
          defaultOutboundAccess: true
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(address, 26, 3)
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

// One for each kind of address, so that names which are public elsewhere lead to the endpoints in here.
var zoneNames = concat(
  access.private
    ? [
        'privatelink.blob.${environment().suffixes.storage}'
        'privatelink.queue.${environment().suffixes.storage}'
        'privatelink.table.${environment().suffixes.storage}'
        'privatelink.vaultcore.azure.net'
        'privatelink.azurecr.io'
      ]
    : [],
  access.closed ? ['privatelink.azurewebsites.net'] : []
)

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [for zone in zoneNames: {
  name: zone
  location: 'global'
  tags: tags
}]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [for (zone, i) in zoneNames: {
  parent: zones[i]
  name: networkName
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: { id: network.id }
  }
}]
