@description('Name of the Container Apps Job that calls POST /api/tick, for the day on which the timer of the app dies.')
param secondSchedulerName string

@description('The second scheduler\'s identity, which the app lets in.')
param identityName string

@description('The identity that pulls the image.')
param pullIdentityName string

@description('Container Apps environment.')
param environmentName string

@description('Registry with the image.')
param registryName string

@description('Name and digest of the image in the registry.')
param image string

@description('Name of the function app.')
param appName string

@description('The Entra app registration that it asks a token for.')
param authClientId string

@description('When, in UTC, as five cron fields.')
param schedule string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: environmentName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource pullIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: pullIdentityName
}

resource site 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource secondScheduler 'Microsoft.App/jobs@2026-01-01' = {
  name: secondSchedulerName
  location: location
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
      '${pullIdentity.id}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      triggerType: 'Schedule'
      scheduleTriggerConfig: {
        cronExpression: schedule
        parallelism: 1
        replicaCompletionCount: 1
      }
      replicaTimeout: 120
      replicaRetryLimit: 0
      registries: [
        {
          server: registry.properties.loginServer
          identity: pullIdentity.id
        }
      ]
      // The code gets tokens of its own identity, and none that pulls images.
      identitySettings: [
        {
          identity: pullIdentity.id
          lifecycle: 'None'
        }
      ]
    }
    template: {
      containers: [
        {
          name: 'second-scheduler'
          image: '${registry.properties.loginServer}/${image}'
          command: ['python3', '-I', '-S', '/opt/lamplighter/second_scheduler']
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
          env: [
            { name: 'LAMPLIGHTER_APP_URL', value: 'https://${site.properties.defaultHostName}' }
            { name: 'LAMPLIGHTER_AUDIENCE', value: authClientId }
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
          ]
        }
      ]
    }
  }
}
