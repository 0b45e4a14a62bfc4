@description('What everything is called, as main.bicep computes it.')
param names object

@description('Name and digest of the image in the registry.')
param image string

@description('What the names of the Container Apps Jobs begin with.')
param jobPrefix string

@description('Secrets with addresses and passwords of alert channels.')
param alertSecrets array

@description('The Entra app registration that stands for the app.')
param authClientId string

@description('Object ids of people and service principals who may call the app.')
param callers array

@description('Object ids of groups whose members may.')
param callerGroups array

@description('Client ids that they may use.')
param callerClients array

@description('Instances of the tick that are always there.')
param alwaysReadyTicks int

@description('Most instances.')
param maximumInstanceCount int

@description('Memory of an instance.')
param instanceMemoryMB int

@description('Attempts at once.')
param maxRunning int

@description('Days that history is kept.')
param retentionDays int

@description('When the second scheduler calls, in UTC, as five cron fields.')
param secondSchedulerSchedule string

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Whether the app is spread over the buildings of the region.')
param spread bool

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

module app 'app.bicep' = {
  name: 'app'
  params: {
    appName: names.app
    planName: names.plan
    appIdentityName: names.appIdentity
    secondSchedulerIdentityName: names.secondSchedulerIdentity
    alertSecrets: alertSecrets
    hostAccountName: names.hostAccount
    dataAccountName: names.dataAccount
    vaultName: names.vault
    insightsName: names.insights
    registryName: names.registry
    image: image
    jobPrefix: jobPrefix
    authClientId: authClientId
    callers: callers
    callerGroups: callerGroups
    callerClients: callerClients
    alwaysReadyTicks: alwaysReadyTicks
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    maxRunning: maxRunning
    retentionDays: retentionDays
    access: access
    spread: spread
    location: location
    tags: tags
  }
}

module endpoint 'endpoints.bicep' = if (access.closed) {
  name: 'app-endpoint'
  params: {
    subnetId: access.endpointsSubnet
    targets: [
      {
        name: 'pe-${names.app}'
        id: resourceId('Microsoft.Web/sites', names.app)
        kind: 'sites'
        zone: 'privatelink.azurewebsites.net'
      }
    ]
    location: location
    tags: tags
  }
  dependsOn: [app]
}

module secondScheduler 'second-scheduler.bicep' = {
  name: 'second-scheduler'
  params: {
    secondSchedulerName: names.secondScheduler
    identityName: names.secondSchedulerIdentity
    pullIdentityName: names.pullIdentity
    environmentName: names.environment
    registryName: names.registry
    image: image
    appName: names.app
    authClientId: authClientId
    schedule: secondSchedulerSchedule
    location: location
    tags: tags
  }
  dependsOn: [app]
}

@description('Address of the app.')
output appUrl string = app.outputs.url
