@description('GUID of the role.')
param roleName string

@description('Its name for people, unique in the tenant.')
param displayName string

var assignable = resourceGroup().id

// Not the built-in Jobs Operator: its `jobs/*/action` includes listSecrets.
resource starter 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: roleName
  properties: {
    roleName: displayName
    description: 'Starts and stops executions of a Container Apps Job and sees how they went. Does not read its secrets.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.App/jobs/read'
          'Microsoft.App/jobs/start/action'
          'Microsoft.App/jobs/execution/read'
          // Covers `executions/stop/action`, which ARM makes of the address that the SDK posts to; Microsoft's list names only
          // the other, `stop/execution/action`. A wildcard, as Azure refuses an exact name that is not in its list.
          'Microsoft.App/jobs/executions/*'
          'Microsoft.App/jobs/stop/execution/action'
        ]
      }
    ]
    assignableScopes: [assignable]
  }
}
