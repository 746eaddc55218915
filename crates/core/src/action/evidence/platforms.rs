//! Names of platforms that tools put in front of their verbs: `slack_list_channels`, `kubectl_get`.

/// Nouns only: a verb here would hide what a name does.
#[rustfmt::skip]
const PLATFORMS: &[&str] = &[
    "slack", "teams", "discord", "telegram", "gmail", "outlook", "google", "calendar", "gdrive", "drive", "sharepoint",
    "onedrive", "dropbox", "notion", "confluence", "jira", "linear", "asana", "trello", "clickup", "airtable", "figma",
    "github", "gitlab", "bitbucket", "git", "npm", "pypi", "zendesk", "intercom", "hubspot", "salesforce", "crm", "erp",
    "servicenow", "workday", "netsuite", "quickbooks", "xero", "stripe", "paypal", "shopify", "aws", "ec2", "s3", "rds", "ecs",
    "eks", "cloudwatch", "dynamodb", "gcp", "gcloud", "gke", "azure", "kubectl", "kubernetes", "k8s", "helm", "terraform",
    "docker", "cloudflare", "vercel", "netlify", "heroku", "datadog", "grafana", "prometheus", "loki", "sentry", "pagerduty",
    "opsgenie", "newrelic", "splunk", "elastic", "elasticsearch", "postgres", "postgresql", "mysql", "sqlite", "mssql",
    "mongodb", "mongo", "redis", "snowflake", "databricks", "bigquery", "supabase", "firebase", "firestore", "neo4j",
    "pinecone", "weaviate", "qdrant", "chroma", "sql", "db", "database", "mcp", "filesystem", "fs", "brave", "tavily", "exa",
    "serper", "bing", "duckduckgo", "perplexity", "wikipedia", "arxiv", "maps", "youtube", "reddit", "hackernews",
];
/// Most of them in front of one name: `google_calendar_list_events`.
const MOST: usize = 2;

/// The words without the platforms in front of them.
pub(super) fn without(words: &[String]) -> &[String] {
    let known = words.iter().take(MOST.min(words.len().saturating_sub(1)));
    let count = known.take_while(|word| PLATFORMS.contains(&word.as_str())).count();
    words.get(count..).unwrap_or(words)
}
