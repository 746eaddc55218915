//! Talking to a server as one of its callers.
//!
//! Refuses to follow redirects, so that a credential reaches the server it was meant for and no other, and to
//! take anything but a 2xx JSON answer for success.

use crate::args::Global;
use crate::{config, installed};
use anyhow::{Context, anyhow, bail};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::{Method, StatusCode, Url, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::IpAddr;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(5);
/// Longer than any wait this program asks a server for.
const ANSWER: Duration = Duration::from_secs(40);
/// Longest answer that is read whole.
const MAX_ANSWER_BYTES: u64 = 64 * 1024 * 1024;
const MAX_PROBLEM_BYTES: u64 = 1024 * 1024;

pub struct Remote {
    http: Client,
    base: Url,
    credential: Option<String>,
    workspace: Option<String>,
}

/// An answer that is not 2xx: the server understood who asked for what, and refused.
#[derive(Debug, thiserror::Error)]
#[error("{detail} ({status}, `{code}`)")]
pub struct Refused {
    pub status: u16,
    /// The stable code of the problem, `unknown` if the answer had none.
    pub code: String,
    pub detail: String,
    pub problem: Value,
}

impl Remote {
    /// As the person who holds the admin token.
    pub fn admin(global: &Global) -> anyhow::Result<Self> {
        Self::with(global, config::ADMIN_TOKEN, |keys| keys.admin_token, "the admin token that `runplane init` printed")
    }

    /// As the agent whose key it is.
    pub fn agent(global: &Global) -> anyhow::Result<Self> {
        Self::with(global, config::API_KEY, |keys| keys.agent_key, "the agent key that `runplane init` printed")
    }

    /// As nobody.
    pub fn anonymous(global: &Global) -> anyhow::Result<Self> {
        let base = base(&global.url)?;
        let mut http = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(redirect::Policy::none())
            .user_agent(concat!("runplane/", env!("CARGO_PKG_VERSION")));
        if is_local(&base) {
            http = http.no_proxy();
        }
        let http = http.build().context("the HTTP client could not be made")?;
        Ok(Self { http, base, credential: None, workspace: global.workspace.clone() })
    }

    /// The same server, with this credential.
    pub fn with_credential(self, credential: String) -> Self {
        Self { credential: Some(credential), ..self }
    }

    fn with(
        global: &Global,
        variable: &str,
        pick: impl FnOnce(installed::Keys) -> String,
        what: &str,
    ) -> anyhow::Result<Self> {
        let remote = Self::anonymous(global)?;
        if let Some(credential) = config::secret(variable) {
            return Ok(remote.with_credential(credential));
        }
        if is_local(&remote.base)
            && let Some(keys) = installed::kept(&global.data)?
        {
            return Ok(remote.with_credential(pick(keys)));
        }
        bail!("set {variable} to {what}")
    }

    pub fn url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    pub fn get(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let mut url = self.api(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.ask(self.request(Method::GET, url))
    }

    pub fn post(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<Value> {
        self.ask(self.request(Method::POST, self.api(path)?).json(body))
    }

    pub fn patch(&self, path: &[&str], body: &impl Serialize) -> anyhow::Result<Value> {
        self.ask(self.request(Method::PATCH, self.api(path)?).json(body))
    }

    pub fn put_yaml(&self, path: &[&str], query: &[(&str, &str)], yaml: String) -> anyhow::Result<Value> {
        let request = self.request(Method::PUT, asking(self.api(path)?, query));
        self.ask(request.header("content-type", "application/yaml").body(yaml))
    }

    pub fn delete(&self, path: &[&str]) -> anyhow::Result<Value> {
        self.ask(self.request(Method::DELETE, self.api(path)?))
    }

    pub fn delete_with(&self, path: &[&str], query: &[(&str, &str)]) -> anyhow::Result<Value> {
        self.ask(self.request(Method::DELETE, asking(self.api(path)?, query)))
    }

    /// The body of a 2xx answer as it comes, without a time limit on the whole.
    pub fn stream(&self, path: &[&str]) -> anyhow::Result<Response> {
        let response = self.send(self.request(Method::GET, self.api(path)?).timeout(Duration::MAX))?;
        if response.status().is_success() { Ok(response) } else { Err(refused(response)) }
    }

    /// Whether the server answers 2xx here; an error if it cannot be reached.
    pub fn probe(&self, path: &str) -> anyhow::Result<StatusCode> {
        let url = self.base.join(path).context("not a path")?;
        Ok(self.send(self.http.get(url))?.status())
    }

    fn ask(&self, request: RequestBuilder) -> anyhow::Result<Value> {
        let response = self.send(request)?;
        if !response.status().is_success() {
            return Err(refused(response));
        }
        let body = body(response, MAX_ANSWER_BYTES)?;
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&body).with_context(|| format!("{} did not answer in JSON", self.url()))
    }

    /// The address of a path below `/api/v1`, its segments encoded.
    fn api(&self, path: &[&str]) -> anyhow::Result<Url> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow!("`{}` is not the address of a server", self.base))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        Ok(url)
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let mut request = self
            .http
            .request(method, url)
            .header("runplane-client", concat!("runplane-cli/", env!("CARGO_PKG_VERSION")));
        if let Some(credential) = &self.credential {
            request = request.bearer_auth(credential);
        }
        if let Some(workspace) = &self.workspace {
            request = request.header("runplane-workspace", workspace);
        }
        request
    }

    fn send(&self, request: RequestBuilder) -> anyhow::Result<Response> {
        request.send().map_err(|error| {
            let error = error.without_url();
            if error.is_connect() {
                anyhow!(error).context(format!("no server answers at {}: start one with `runplane dev`", self.url()))
            } else {
                anyhow!(error).context(format!("{} gave no answer", self.url()))
            }
        })
    }
}

fn asking(mut url: Url, query: &[(&str, &str)]) -> Url {
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// Reads a member of an answer; what is absent or of another shape is an error that names it.
pub fn member<T: DeserializeOwned>(answer: &Value, name: &str) -> anyhow::Result<T> {
    let value = answer.get(name).cloned().unwrap_or(Value::Null);
    serde_json::from_value(value).with_context(|| format!("the server's answer has no usable `{name}`"))
}

/// A member as people read it: text plain, absent and null as `-`, everything else as JSON.
pub fn shown(answer: &Value, pointer: &str) -> String {
    match answer.pointer(pointer) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// The objects of a list in an answer.
pub fn list<'a>(answer: &'a Value, name: &str) -> &'a [Value] {
    answer.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn base(url: &str) -> anyhow::Result<Url> {
    let base: Url = url.parse().with_context(|| format!("`{url}` is not the address of a server"))?;
    if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
        bail!("`{url}` is not the address of a server: write `http://host:port` or `https://host`");
    }
    Ok(base)
}

fn is_local(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn body(response: Response, limit: u64) -> anyhow::Result<String> {
    use std::io::Read;
    let mut body = String::new();
    response.take(limit).read_to_string(&mut body).context("the answer broke off")?;
    Ok(body)
}

fn refused(response: Response) -> anyhow::Error {
    let status = response.status();
    let problem: Value =
        body(response, MAX_PROBLEM_BYTES).ok().and_then(|body| serde_json::from_str(&body).ok()).unwrap_or(Value::Null);
    let text = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
    let detail = text("detail").or_else(|| text("title")).or_else(|| status.canonical_reason().map(str::to_lowercase));
    let (code, detail) =
        (text("error").unwrap_or_else(|| "unknown".into()), detail.unwrap_or_else(|| "refused".into()));
    Refused { status: status.as_u16(), code, detail, problem }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_local() {
        for url in ["http://127.0.0.1:7070", "http://localhost:1", "http://[::1]:7070", "http://LOCALHOST"] {
            assert!(is_local(&base(url).unwrap()), "{url}");
        }
        for url in
            ["http://localhost.evil.test", "http://10.0.0.1", "http://127.0.0.1.evil.test", "https://acme.example"]
        {
            assert!(!is_local(&base(url).unwrap()), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_server_is_refused() {
        for url in ["", "127.0.0.1:7070", "file:///etc/passwd", "ftp://x", "http://"] {
            assert!(base(url).is_err(), "{url}");
        }
    }
}
