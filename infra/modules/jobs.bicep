@description('Some of the jobs, as jobs.json has them.')
param jobs array

@description('How far to go.')
param stage string

@description('What everything is called, as main.bicep computes it.')
param names object

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
    identityName: '${names.jobIdentityPrefix}${job.resource}'
    pullIdentityName: names.pullIdentity
    appIdentityName: names.appIdentity
    starterRoleName: names.starterRole
    environmentName: names.environment
    vaultName: names.vault
    registryName: names.registry
    image: image
    location: location
    tags: tags
  }
}]
