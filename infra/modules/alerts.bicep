@description('Name of the installation, for the names of the rules.')
param installation string

@description('Workspace that the rules query.')
param workspaceName string

@description('Addresses that alerts go to.')
param emails array

@description('Whether the rules are at work.')
param enabled bool

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var perJob = [{ name: 'job', operator: 'Include', values: ['*'] }]
var perSecret = [{ name: 'secret', operator: 'Include', values: ['*'] }]

// Each query gives a row for each thing to tell. A window is longer than the time between two looks, because events
// arrive minutes late; an alert that is still open is not sent again, but another one of another job (`per`) is.
var rules = [
  {
    key: 'no-tick'
    title: 'No tick for 10 minutes: no job is being started'
    query: loadTextContent('../queries/no-tick.kql')
    severity: 0
    every: 'PT5M'
    window: 'PT10M'
    resolves: true
    per: []
  }
  {
    key: 'failed-critical'
    title: 'A critical job has failed'
    query: loadTextContent('../queries/failed-critical.kql')
    severity: 1
    every: 'PT5M'
    window: 'PT15M'
    resolves: true
    per: perJob
  }
  {
    key: 'failed-runs'
    title: 'A job has failed'
    query: loadTextContent('../queries/failed-runs.kql')
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    resolves: true
    per: perJob
  }
  {
    key: 'trouble'
    title: 'Lamplighter is in trouble: deliveries fail or a service is away'
    query: loadTextContent('../queries/trouble.kql')
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    resolves: true
    per: []
  }
  {
    key: 'poison'
    title: 'Launches were set aside: starting jobs has failed again and again'
    query: loadTextContent('../queries/poison.kql')
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    resolves: true
    per: []
  }
  {
    key: 'exceptions'
    title: 'Lamplighter throws exceptions'
    query: loadTextContent('../queries/exceptions.kql')
    severity: 3
    every: 'PT15M'
    window: 'PT30M'
    resolves: true
    per: []
  }
  {
    key: 'secret-expiry'
    title: 'A secret expires soon or cannot be used'
    query: loadTextContent('../queries/secret-expiry.kql')
    severity: 2
    every: 'P1D'
    window: 'P1D'
    // Told again each day until it is done.
    resolves: false
    per: perSecret
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${installation}'
  location: 'Global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take('lamp${replace(installation, '-', '')}', 12)
    emailReceivers: [for (email, i) in emails: {
      name: 'email-${i}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource queryRules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [for rule in rules: {
  name: 'alert-${installation}-${rule.key}'
  location: location
  kind: 'LogAlert'
  tags: tags
  properties: {
    displayName: rule.title
    severity: rule.severity
    enabled: enabled
    scopes: [workspace.id]
    evaluationFrequency: rule.every
    windowSize: rule.window
    // A workspace that has had no data yet does not know all tables.
    skipQueryValidation: true
    autoMitigate: rule.resolves
    criteria: {
      allOf: [
        {
          query: rule.query
          timeAggregation: 'Count'
          dimensions: rule.per
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [actionGroup.id]
    }
  }
}]
