@description('Name of the installation.')
param installation string

@description('What everything is called, as main.bicep computes it.')
param names object

@description('Addresses that alerts go to.')
param alertEmails array

@description('Whether the rules are at work.')
param alertsEnabled bool

@description('Whether the action group is left as it is.')
param keepActionGroup bool

@description('Where docs/runbook.md is read; empty: alerts name the file.')
param runbookUrl string

@description('US dollars a month at which addresses get a mail; 0: no budget.')
param monthlyBudget int

@description('First day of the month in which the budget was made.')
param budgetStart string

@description('Region.')
param location string

@description('Tags of every resource.')
param tags object

module alerts 'alerts.bicep' = {
  name: 'alerts'
  params: {
    installation: installation
    workspaceName: names.workspace
    emails: alertEmails
    keepActionGroup: keepActionGroup
    runbookUrl: runbookUrl
    monthlyBudget: monthlyBudget
    budgetStart: budgetStart
    enabled: alertsEnabled
    location: location
    tags: tags
  }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  params: {
    installation: installation
    workspaceName: names.workspace
    location: location
    tags: tags
  }
}
