@description('Name of the Container Apps environment.')
param environmentName string

@description('Workspace that logs go to.')
param workspaceName string

@description('Whether what containers print goes there as well.')
param consoleLogs bool

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Whether executions are spread over the buildings of the region.')
param spread bool

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: environmentName
  location: location
  tags: tags
  properties: {
    // By diagnostic settings: the destination `log-analytics` would need a key of the workspace.
    appLogsConfiguration: { destination: 'azure-monitor' }
    // Neither can be changed in an environment that stands. Nothing calls a job: it needs no public address.
    vnetConfiguration: access.joined
      ? {
          infrastructureSubnetId: access.jobsSubnet
          internal: true
        }
      : null
    zoneRedundant: spread
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'lamplighter'
  scope: environment
  properties: {
    workspaceId: workspace.id
    logs: [
      { category: 'ContainerAppSystemLogs', enabled: true }
      { category: 'ContainerAppConsoleLogs', enabled: consoleLogs }
    ]
  }
}
