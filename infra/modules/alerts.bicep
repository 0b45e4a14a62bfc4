@description('Name of the installation, for the names of the rules.')
param installation string

@description('Workspace that the rules query.')
param workspaceName string

@description('Addresses that alerts go to.')
param emails array

@description('Whether the rules are at work.')
param enabled bool

@description('The action group stands, perhaps with receivers that someone added by hand: it is left as it is.')
param keepActionGroup bool

@description('Where docs/runbook.md is read; empty: alerts name the file.')
param runbookUrl string

@description('US dollars a month at which addresses get a mail, at 80 and 100 percent of it; 0: no budget.')
param monthlyBudget int

@description('First day of the month in which the budget was made; Azure takes no other for one that is there.')
param budgetStart string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

var perJob = [{ name: 'job', operator: 'Include', values: ['*'] }]
var perSecret = [{ name: 'secret', operator: 'Include', values: ['*'] }]

// Each query gives a row for each thing to report. A window is longer than the time between two looks, because events
// arrive minutes late; an alert that is still open is not sent again, but another one of another job (`per`) is.
var rules = [
  {
    key: 'no-tick'
    about: 'Nothing has ticked for 15 minutes, so no slot is claimed and no job is started. Slots are caught up when ticks return. Do: lamp verify; stop and start the function app; then lamp deploy --from app.'
    title: 'No tick for 15 minutes: no job is being started'
    query: loadTextContent('../queries/no-tick.kql')
    severity: 0
    every: 'PT5M'
    window: 'PT15M'
    resolves: true
    per: []
  }
  {
    key: 'failed-critical'
    about: 'A run of a job of tier critical failed after its retries, or was not started. Do: read its error in the workbook, or lamp logs; fix the cause; lamp rerun.'
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
    about: 'A run failed after its retries, or was not started. Do: read its error in the workbook, or lamp logs; fix the cause; lamp rerun.'
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
    about: 'The service itself met the same outage more than once. Runs are retried. Do: read what it was doing in the workbook, Trouble that stays; check that service in Azure.'
    title: 'Lamplighter is in trouble: deliveries fail or a service is unavailable'
    query: loadTextContent('../queries/trouble.kql')
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    resolves: true
    per: []
  }
  {
    key: 'poison'
    about: 'Launches failed five times each. Their runs go on by the watch. Do: docs/deploy.md, Launches that were set aside.'
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
    about: 'A function of the app threw. Do: read it in the workbook, Exceptions; after a deployment roll back.'
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
    about: 'A secret expires within 30 days, has expired, or cannot be used. Do: az keyvault secret set; the next run takes it.'
    title: 'A secret expires soon or cannot be used'
    query: loadTextContent('../queries/secret-expiry.kql')
    severity: 2
    every: 'P1D'
    window: 'P1D'
    // Reported again each day until it is done.
    resolves: false
    per: perSecret
  }
  {
    key: 'log-cap'
    about: 'The daily cap of the workspace is reached: it takes no logs until tomorrow, and no tick follows. Jobs go on. Do: raise dailyLogGb, or find in Usage what writes so much.'
    title: 'The log cap is reached: alerts are blind until tomorrow'
    query: loadTextContent('../queries/log-cap.kql')
    severity: 1
    every: 'PT15M'
    window: 'PT30M'
    resolves: true
    per: []
  }
]

// A title and a first step are of little use without the place to look.
var workbookUrl = '${environment().portal}/#resource${resourceId('Microsoft.Insights/workbooks', guid(resourceGroup().id, installation, 'workbook'))}'

// Each rule has a heading there that is its key.
var runbook = runbookUrl == '' ? 'docs/runbook.md' : runbookUrl

var actionGroupId = resourceId('Microsoft.Insights/actionGroups', 'ag-${installation}')
var subscriptionId = subscription().id

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (!keepActionGroup) {
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
    description: '${rule.about} More: ${runbook}#${rule.key} The workbook: ${workbookUrl}'
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
      actionGroups: [actionGroupId]
      customProperties: {
        todo: rule.about
        runbook: '${runbook}#${rule.key}'
        workbook: workbookUrl
      }
    }
  }
  dependsOn: [actionGroup]
}]

// An outage of Azure in the region explains most of what the rules above find.
resource serviceHealth 'Microsoft.Insights/activityLogAlerts@2020-10-01' = {
  name: 'alert-${installation}-service-health'
  location: 'Global'
  tags: tags
  properties: {
    description: 'Azure reports an incident, or planned work, in the region of this installation. Jobs are caught up by themselves afterwards. Do: read the incident; nothing else. More: ${runbook}#service-health The workbook: ${workbookUrl}'
    enabled: enabled
    scopes: [subscriptionId]
    condition: {
      allOf: [
        { field: 'category', equals: 'ServiceHealth' }
        { field: 'properties.impactedServices[*].ImpactedRegions[*].RegionName', containsAny: [location, 'Global'] }
      ]
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroupId
          webhookProperties: {
            runbook: '${runbook}#service-health'
            workbook: workbookUrl
          }
        }
      ]
    }
  }
  dependsOn: [actionGroup]
}

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = if (monthlyBudget > 0) {
  name: 'budget-${installation}'
  properties: {
    category: 'Cost'
    amount: monthlyBudget
    timeGrain: 'Monthly'
    timePeriod: { startDate: budgetStart }
    notifications: {
      most: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: emails
      }
      all: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
      }
    }
  }
}
