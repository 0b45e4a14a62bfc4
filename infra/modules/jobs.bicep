@description('Some of the jobs, as jobs.json has them.')
param jobs array

@description('How far to go.')
param stage string

@description('What the names of the jobs\' identities begin with.')
param jobIdentityPrefix string

@description('The identity that pulls the image.')
param pullIdentityName string

@description('Identity of the app, which starts the jobs.')
param appIdentityName string

@description('GUID of the custom role for that.')
param starterRoleName string

@description('Container Apps environment.')
param environmentName string

@description('Vault with the jobs\' secrets.')
param vaultName string

@description('Registry with the image.')
param registryName string

@description('Name and digest of the image in the registry.')
param image string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

// Twenty at a time: the management API takes about ten writes a second, and a job needs five.
@batchSize(20)
module each 'job.bicep' = [for job in jobs: {
  name: 'job-${job.resource}'
  params: {
    job: job
    stage: stage
    identityName: '${jobIdentityPrefix}${job.resource}'
    pullIdentityName: pullIdentityName
    appIdentityName: appIdentityName
    starterRoleName: starterRoleName
    environmentName: environmentName
    vaultName: vaultName
    registryName: registryName
    image: image
    location: location
    tags: tags
  }
}]
