//! The description of the API, generated from the routes.

use crate::people;
use axum::http::{HeaderName, header};
use std::sync::LazyLock;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Runplane",
        description = "A governed execution control plane for AI agents: every action is decided by policy and risk, \
                       recorded before anybody hears the answer, and held for a person where policy says so.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    modifiers(&Credentials),
    components(schemas(super::problem::Problem)),
    tags(
        (name = "guard", description = "Deciding actions and reporting what became of them"),
        (name = "approvals", description = "The human step of a held action"),
        (name = "decisions", description = "What was decided, and why"),
        (name = "policies", description = "The rules decisions are made by"),
        (name = "settings", description = "What is registered about the world around the agents"),
        (name = "agents", description = "The software that acts, and its keys"),
        (name = "people", description = "Accounts of people and their sessions"),
        (name = "containment", description = "Switches that block everything they match"),
        (name = "ledger", description = "The tamper-evident record"),
        (name = "catalogue", description = "The action types Runplane knows"),
        (name = "workspaces", description = "Tenants: own policies, agents, ledger and state"),
        (name = "health", description = "Whether the server lives and can decide"),
    ),
)]
pub struct Description;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut Document) {
        let bearer = |what: &str| {
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(what)).build())
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("agentKey", bearer("The key of an agent, `rpk_…`; it implies the workspace."));
        let cookie = "Somebody who is signed in. What changes something also sends `Runplane-Csrf`.";
        components.add_security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description("runplane_session", cookie))),
        );
        components.add_security_scheme(
            "adminToken",
            bearer(
                "The token of people, `rpa_…`; the header `Runplane-Workspace` chooses the workspace, `default` if \
                 absent.",
            ),
        );
    }
}

/// Whatever takes the admin token takes a session too, as far as its role goes.
fn describe_people(document: &mut Document) {
    for (path, item) in &mut document.paths.paths {
        let operations = [
            ("GET", &mut item.get),
            ("POST", &mut item.post),
            ("PUT", &mut item.put),
            ("PATCH", &mut item.patch),
            ("DELETE", &mut item.delete),
        ];
        for (method, operation) in operations {
            let Some(operation) = operation else { continue };
            let Some(least) = people::least_role(method, path) else { continue };
            let session = SecurityRequirement::new("session", Vec::<String>::new());
            let security = operation.security.get_or_insert_default();
            if !security.contains(&session) {
                security.push(session);
            }
            operation.extensions.get_or_insert_default().insert("x-least-role".to_owned(), least.as_str().into());
        }
    }
}

/// The document as text, with its members in a stable order and a newline at the end.
pub fn text() -> String {
    let mut document = super::documented().into_openapi();
    describe_people(&mut document);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenApi", tag = "health",
    responses((status = 200, description = "OpenAPI 3.1", body = Object, content_type = "application/json")))]
pub async fn get_openapi() -> ([(HeaderName, &'static str); 1], &'static str) {
    static TEXT: LazyLock<String> = LazyLock::new(text);
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// `make bless` writes the file anew.
    #[test]
    fn golden_openapi_is_what_the_routes_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contracts/openapi.json");
        if option_env_bless() {
            std::fs::write(&path, text()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text(), "contracts/openapi.json is not what the code says: run `make bless`");
    }

    #[allow(clippy::disallowed_methods)] // a test's own switch, not configuration
    fn option_env_bless() -> bool {
        std::env::var_os("RUNPLANE_BLESS").is_some()
    }

    #[test]
    fn every_operation_has_an_id_a_tag_and_described_errors() {
        let document: serde_json::Value = serde_json::from_str(&text()).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let place = format!("{method} {path}");
                let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{place} has no id"));
                assert!(ids.insert(id.to_owned()), "{place}: the id `{id}` is taken");
                assert!(operation["tags"][0].is_string(), "{place} has no tag");
                let secured = operation.get("security").is_some();
                let signs_in = id == "signIn";
                let refuses = operation["responses"].get("401").is_some();
                assert_eq!(refuses, secured || signs_in, "{place}: 401 and security differ");
            }
        }
    }
}
