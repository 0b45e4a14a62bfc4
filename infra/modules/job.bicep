@description('The job, as jobs.json has it: name, resource, cpu, memory, timeoutSeconds, secrets, tier, owner, department.')
param job object

@description('How far to go: the right to read secrets from `access` on, the Container Apps Job in `all`.')
param stage string

@description('The job\'s own identity.')
param identityName string

@description('The identity that pulls the image.')
param pullIdentityName string

@description('Identity of the app, which starts the job.')
param appIdentityName string

@description('GUID of the custom role for that.')
param starterRoleName string

@description('Container Apps environment.')
param environmentName string

@description('Vault with the job\'s secrets.')
param vaultName string

@description('Registry with the image.')
param registryName string

@description('Name and digest of the image in the registry.')
param image string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var roles = loadJsonContent('../roles.json')
// Two variables may have the same secret; Container Apps wants lower case, Key Vault minds no case.
var secretNames = union([], map(job.secrets, secret => toLower(secret.name)))

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' existing = {
  name: environmentName
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-11-01' existing = {
  name: registryName
}

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource secrets 'Microsoft.KeyVault/vaults/secrets@2026-02-01' existing = [for secretName in secretNames: {
  parent: vault
  name: secretName
}]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource pullIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: pullIdentityName
}

resource appIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: appIdentityName
}

resource readSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (secretName, i) in secretNames: if (stage != 'foundation') {
  name: guid(secrets[i].id, identity.id, roles.keyVaultSecretsUser)
  scope: secrets[i]
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}]

resource containerJob 'Microsoft.App/jobs@2026-01-01' = if (stage == 'all') {
  name: job.resource
  location: location
  tags: union(tags, {
    job: job.name
    owner: job.owner
    department: job.department
    tier: job.tier
  })
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
      triggerType: 'Manual'
      manualTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
      }
      replicaTimeout: job.timeoutSeconds
      // Trying again is the service's decision, with a run of its own.
      replicaRetryLimit: 0
      registries: [
        {
          server: registry.properties.loginServer
          identity: pullIdentity.id
        }
      ]
      secrets: [for secretName in secretNames: {
        name: secretName
        keyVaultUrl: '${vault.properties.vaultUri}secrets/${secretName}'
        identity: identity.id
      }]
      // The platform pulls the image and fetches the secrets with it; code in the container gets no token of it.
      identitySettings: [
        {
          identity: identity.id
          lifecycle: 'None'
        }
        {
          identity: pullIdentity.id
          lifecycle: 'None'
        }
      ]
    }
    template: {
      // What an execution starts with replaces all of this. Started by hand it finds no specification, and ends with 64.
      containers: [
        {
          name: 'job'
          image: '${registry.properties.loginServer}/${image}'
          resources: {
            cpu: json(job.cpu)
            memory: job.memory
          }
          env: map(job.secrets, secret => {
            name: secret.variable
            secretRef: toLower(secret.name)
          })
        }
      ]
    }
  }
  dependsOn: [readSecrets]
}

resource start 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (stage == 'all') {
  name: guid(containerJob.id, appIdentity.id, starterRoleName)
  scope: containerJob
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', starterRoleName)
    principalId: appIdentity.properties.principalId
    principalType: 'ServicePrincipal'
  }
}
