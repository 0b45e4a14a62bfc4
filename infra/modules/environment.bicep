@description('Name of the Container Apps environment.')
param environmentName string

@description('Workspace that logs go to.')
param workspaceName string

@description('Whether what containers print goes there as well.')
param consoleLogs bool

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
