@description('Name of the function app.')
param appName string

@description('Name of its plan.')
param planName string

@description('Identity that it runs as.')
param appIdentityName string

@description('Identity of the second scheduler, which may call it.')
param secondSchedulerIdentityName string

@description('Storage account of the Functions runtime.')
param hostAccountName string

@description('Storage account with the history.')
param dataAccountName string

@description('Vault with the jobs\' secrets.')
param vaultName string

@description('Application Insights component.')
param insightsName string

@description('Registry with the image that jobs run in.')
param registryName string

@description('Name and digest of that image in the registry.')
param image string

@description('What the names of the Container Apps Jobs begin with.')
param jobPrefix string

@description('The Entra app registration that stands for this app.')
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

@description('Secrets with addresses and passwords of alert channels: the only ones whose values the app reads.')
param alertSecrets array

@description('Days that history is kept.')
param retentionDays int

@description('How things are reached, as main.bicep decides it.')
param access object

@description('Whether it is spread over the buildings of the region: Azure then keeps two instances of each function ready.')
param spread bool

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var roles = loadJsonContent('../roles.json')

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: appIdentityName
}

resource secondSchedulerIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: secondSchedulerIdentityName
}

resource hostAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: hostAccountName
}

resource dataAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: dataAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource channelSecrets 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = [for secretName in alertSecrets: {
  parent: vault
  name: secretName
}]

resource readChannels 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (secretName, i) in alertSecrets: {
  name: guid(channelSecrets[i].id, identity.id, roles.keyVaultSecretsUser)
  scope: channelSecrets[i]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}]

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: spread
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: appName
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identity.id}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Its way to the endpoints, and its only one when the app is in the network at all.
    virtualNetworkSubnetId: access.private ? access.appSubnet : null
    publicNetworkAccess: access.closed ? 'Disabled' : 'Enabled'
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      ftpsState: 'Disabled'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostAccount.properties.primaryEndpoints.blob}app-package'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identity.id
          }
        }
      }
      runtime: {
        name: 'node'
        version: '24'
      }
      scaleAndConcurrency: {
        alwaysReady: alwaysReadyTicks == 0 ? [] : [
          {
            name: 'function:tick'
            instanceCount: alwaysReadyTicks
          }
        ]
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: instanceMemoryMB
      }
    }
  }
}

// What functions/settings.ts reads, and what the platform does; a setting that is not here is removed.
resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: {
    AzureWebJobsStorage__accountName: hostAccount.name
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identity.properties.clientId
    LAMPLIGHTER_STORAGE__blobServiceUri: dataAccount.properties.primaryEndpoints.blob
    LAMPLIGHTER_STORAGE__queueServiceUri: dataAccount.properties.primaryEndpoints.queue
    LAMPLIGHTER_STORAGE__tableServiceUri: dataAccount.properties.primaryEndpoints.table
    LAMPLIGHTER_STORAGE__credential: 'managedidentity'
    LAMPLIGHTER_STORAGE__clientId: identity.properties.clientId
    AZURE_CLIENT_ID: identity.properties.clientId
    LAMPLIGHTER_KEY_VAULT_URL: vault.properties.vaultUri
    LAMPLIGHTER_SUBSCRIPTION_ID: subscription().subscriptionId
    LAMPLIGHTER_RESOURCE_GROUP: resourceGroup().name
    LAMPLIGHTER_MANAGEMENT_URL: environment().resourceManager
    LAMPLIGHTER_JOB_PREFIX: jobPrefix
    LAMPLIGHTER_IMAGE: '${registry.properties.loginServer}/${image}'
    LAMPLIGHTER_MAX_RUNNING: string(maxRunning)
    LAMPLIGHTER_RETENTION_DAYS: string(retentionDays)
    LAMPLIGHTER_APP_URL: 'https://${site.properties.defaultHostName}'
    LAMPLIGHTER_AUTH_TENANT: tenant().tenantId
    LAMPLIGHTER_AUTH_CLIENT: authClientId
    LAMPLIGHTER_AUTH_CALLERS: join(callerClients, ',')
    APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
    OTEL_SERVICE_NAME: 'lamplighter'
    // Else the host answers HEAD, PUT and OPTIONS / with a page of its own, without asking the app.
    AzureWebJobsDisableHomepage: 'true'
  }
}

// Only tokens for authClientId, only from these clients and these identities: the second scheduler and the callers. A token that is
// good for the tenant alone opens nothing. /api/finish carries a code of its own, made for one attempt; /api/alerts/<link> is a
// signed link of an alert, good once and for three days; /api/ping wants the key of an external job.
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
      runtimeVersion: '~1'
    }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      // `/admin` is guarded by the master key: func asks it for the state of the host after an upload, and has no token.
      excludedPaths: ['/api/finish', '/api/alerts/*', '/api/ping/*', '/admin/*']
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [authClientId, 'api://${authClientId}']
          defaultAuthorizationPolicy: {
            allowedApplications: concat([secondSchedulerIdentity.properties.clientId], callerClients)
            allowedPrincipals: {
              identities: concat([secondSchedulerIdentity.properties.principalId], callers)
              groups: callerGroups
            }
          }
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
  dependsOn: [settings]
}

resource ftpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

// func publishes with an Entra token, which this does not concern.
resource scmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
  dependsOn: [ftpPasswords]
}

@description('Address of the app.')
output url string = 'https://${site.properties.defaultHostName}'
