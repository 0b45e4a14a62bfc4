@description('Name of the installation, in the title.')
param installation string

@description('Workspace that the workbook queries.')
param workspaceName string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  // Azure wants a GUID.
  name: guid(resourceGroup().id, installation, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Lamplighter (${installation})'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspace.id
    serializedData: loadTextContent('../workbook/workbook.json')
  }
}
